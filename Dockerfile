# The image of `roadstead serve`, `roadstead work` and `roadstead migrate`. PostgreSQL, Redis and what is stored
# lie outside of it.
#
# BASE has Python 3.11 or newer with venv and pip. The same image is built on and run on: what is installed here
# depends on the very files of its Python.
ARG BASE=python:3.12-slim-bookworm

FROM ${BASE} AS build

# Another index than the public one: --build-arg PIP_INDEX_URL=...
ARG PIP_INDEX_URL
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore

# Nothing can be installed in a running container: there is no pip in this environment.
RUN python3 -m venv --without-pip /opt/roadstead
COPY requirements/server.lock /src/requirements/
RUN python3 -m pip --python /opt/roadstead install --require-hashes --only-binary :all: \
        --requirement /src/requirements/server.lock
COPY . /src
RUN python3 -m pip --python /opt/roadstead install --no-build-isolation --no-deps /src \
    && python3 -m pip --python /opt/roadstead uninstall --yes setuptools

FROM ${BASE}

ARG VERSION=development
ARG REVISION=
LABEL org.opencontainers.image.title="Roadstead" \
      org.opencontainers.image.description="An OCI registry" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"

# The number is part of the interface: volumes belong to it, and Kubernetes refuses names it cannot check.
RUN groupadd --gid 10001 roadstead \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /var/lib/roadstead \
        --shell /usr/sbin/nologin roadstead \
    && install --directory --owner 10001 --group 10001 --mode 0750 /var/lib/roadstead
COPY --from=build /opt/roadstead /opt/roadstead

ENV PATH=/opt/roadstead/bin:/usr/local/bin:/usr/bin:/bin \
    PYTHONDONTWRITEBYTECODE=1 \
    ROADSTEAD_DATA=/var/lib/roadstead \
    ROADSTEAD_LISTEN=0.0.0.0:5000
USER 10001:10001
WORKDIR /var/lib/roadstead
VOLUME /var/lib/roadstead
EXPOSE 5000
STOPSIGNAL SIGTERM

# Workers have no port to ask: switch the check off where `roadstead work` runs.
HEALTHCHECK --interval=15s --timeout=5s --start-period=20s --retries=3 CMD [ \
    "python3", "-c", \
    "import http.client, os, sys; c = http.client.HTTPConnection('127.0.0.1', int(os.environ['ROADSTEAD_LISTEN'].rpartition(':')[2]), timeout=4); c.request('GET', '/healthz'); sys.exit(c.getresponse().status != 200)" \
]

ENTRYPOINT ["roadstead"]
CMD ["serve"]
