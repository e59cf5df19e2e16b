"""How links and services fail, as a probe or a survey shows it."""

from pytest_tentacle.link import Failure

REFUSED = {"fails": "connect", "error": Failure.REFUSED}
DROPPED = {"fails": "connect", "error": Failure.TIMED_OUT}
NO_ROUTE = {"fails": "connect", "error": Failure.UNREACHABLE}
FORBIDDEN = {"fails": "connect", "error": Failure.PROHIBITED}
NO_NAME = {"fails": "resolve", "error": Failure.NAME_NOT_FOUND}
NO_DNS = {"fails": "resolve", "error": Failure.RESOLVER_FAILED}
OLD_TLS = {"fails": "tls", "error": Failure.PROTOCOL_VERSION}
NO_SUITE = {"fails": "tls", "error": Failure.NO_COMMON_CIPHER}
CLOSED = {"fails": "tls", "error": Failure.CLOSED}
RESET = {"fails": "tls", "error": Failure.RESET}
SILENT = {"fails": "tls", "error": Failure.TIMED_OUT}
NOT_TLS = {"fails": "tls", "error": Failure.NOT_TLS}
STOPPED = {"state": "stopped", "pid": None, "exit_code": 0}
