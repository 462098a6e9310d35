"""Listening sockets that share one port with one another and with nobody else."""

import socket

import pytest

from cli.listening import listening
from cli.programs import StartError


def test_all_share_one_port() -> None:
    with listening("127.0.0.1", 0, 3) as sockets:
        assert len({each.getsockname() for each in sockets}) == 1


def test_a_connection_waits_on_its_socket_until_somebody_accepts() -> None:
    with (
        listening("127.0.0.1", 0, 1) as sockets,
        socket.create_connection(sockets[0].getsockname()) as client,
    ):
        client.sendall(b"hello")
        accepted, _ = sockets[0].accept()
        with accepted:
            assert accepted.recv(5) == b"hello"


@pytest.mark.parametrize("shares", [False, True])
def test_a_taken_port_is_refused(shares: bool) -> None:
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, int(shares))
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with (
            pytest.raises(
                StartError, match=f"^Cannot listen on 127.0.0.1:{port}: another program listens there"
            ),
            listening("127.0.0.1", port, 2),
        ):
            pass


def test_a_port_can_be_had_again_at_once() -> None:
    with listening("127.0.0.1", 0, 2) as sockets:
        port = sockets[0].getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)):
            pass
    with listening("127.0.0.1", port, 2) as sockets:
        assert sockets[0].getsockname()[1] == port


def test_a_foreign_address_is_refused() -> None:
    with pytest.raises(StartError, match="no such address"), listening("192.0.2.1", 5000, 1):
        pass
