"""Calls to servers that users name: only to addresses that the operator allows."""

from app.outgoing.caller import Answer, Call, Caller, CallFailed, open_caller
from app.outgoing.tls import TLS, BadCertificate, context_for

__all__ = ["TLS", "Answer", "BadCertificate", "Call", "CallFailed", "Caller", "context_for", "open_caller"]
