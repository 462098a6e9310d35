"""Which requests to S3 are sent again, in the place of what the SDK would do."""

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from app.storage.driver import StorageBusy
from app.storage.patience import Attempts
from app.storage.s3_errors import storage_error_of

if TYPE_CHECKING:
    from botocore.model import OperationModel
    from types_aiobotocore_s3 import S3Client

_ATTEMPTS: Final = "attempts_of_ours"
_FAILED: Final = 300


class Retries:
    """Sends again what would be StorageBusy, and nothing else.

    The SDK's own modes count attempts, so it is chance how long they last, and all requests of a client share
    one budget of retries: once it is spent, the least fault of a storage that is well again is final.
    """

    def __init__(self, patience: timedelta) -> None:
        self._patience = patience

    def of(self, s3: "S3Client") -> None:
        """Decide for a client, which has to be told to try nothing twice itself."""
        s3.meta.events.register("before-call.s3", self._begin)
        s3.meta.events.register("needs-retry.s3", self._judge)

    def _begin(
        self, *, model: "OperationModel", params: dict[str, Any], context: dict[str, Any], **_: object
    ) -> None:
        context[_ATTEMPTS] = Attempts(f"{model.name} of {params['url']}", self._patience)

    def _judge(
        self,
        *,
        response: tuple[object, dict[str, Any]] | None,
        operation: "OperationModel",
        caught_exception: Exception | None,
        request_dict: dict[str, Any],
        **_: object,
    ) -> float | None:
        """Return how many seconds to wait before it is sent again, or None; raise StorageBusy in the end."""
        attempts: Attempts = request_dict["context"][_ATTEMPTS]
        error = caught_exception or (response and _error_in(response[1], operation.name))
        if error and isinstance(storage_error_of(error), StorageBusy):
            return attempts.failed(error)
        attempts.ended()
        return None


def _error_in(parsed: dict[str, Any], operation: str) -> ClientError | None:
    """Return what the client is going to raise because of an answer."""
    status: int = parsed["ResponseMetadata"]["HTTPStatusCode"]
    return ClientError(parsed, operation) if status >= _FAILED else None
