"""What the lab's hosts run in place of the products."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from pathlib import Path

from pytest_tentacle.lab.halibut.listener import HalibutListener, Line
from pytest_tentacle.link.certificate import make_certificate
from support.hosts.agent import keep_polling


def test_a_poller_keeps_its_connection() -> None:
    """Through several null requests: a survey at any moment meets it, as it would meet the product's."""
    server, poller = make_certificate("server"), make_certificate("poller")
    lines: list[Line] = []
    listener = HalibutListener(
        "127.0.0.1",
        0,
        certificate=server,
        product="server",
        trusted=[poller],
        receive_timeout=0.4,
        poll_wait=0.1,
        log=lines.append,
    )
    with listener:
        ended, settings = (
            threading.Event(),
            {"subscription": "poll://abcdefghij0123456789/", "trusted": [{"certificate": server.certificate_pem}]},
        )
        given = (poller, f"https://127.0.0.1:{listener.port}", settings, ended)
        thread = threading.Thread(target=keep_polling, args=given, daemon=True)
        thread.start()
        time.sleep(1.2)
        told = [(line.level, line.message.partition(":")[0]) for line in lines]
        ended.set()
    thread.join(10)
    assert not thread.is_alive()
    accepted = [message for _, message in told if message.startswith("Accepted")]
    assert (len(accepted), [each for each in told if each[0] == "Error"]) == (1, [])


def test_it_imports_no_whole_lab(top: Path) -> None:
    """A lab of hosts starts it dozens of times: with the rest of the embedded lab each start would cost 0.3 s of CPU more."""
    words = "import sys, support.hosts.agent; print([each for each in ('pytest_tentacle.lab.site', 'paramiko') if each in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", words], cwd=top / "tests", capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout == "[]\n"
