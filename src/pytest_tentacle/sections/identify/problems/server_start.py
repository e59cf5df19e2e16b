"""TT155 to TT157: an Octopus Server that does not come through its start (guide, "Identify the Problem")."""

from __future__ import annotations

from pytest_tentacle.guide.commands import START_LINUX, START_WINDOWS
from pytest_tentacle.guide.consequences import ENDED
from pytest_tentacle.guide.problem import Confidence, ProblemKind

from .kind import READ_LINUX, READ_WINDOWS, kind

SERVER_START: tuple[ProblemKind, ...] = (
    kind(
        "TT155",
        "The Octopus Server's license does not let it start",
        "The license has expired, is missing, or is not for the installed version. The server checks it before it "
        "upgrades its database, which newer versions do at each start, and ends.",
        "Enter a license that covers this version, from Octopus's Control Center (Octopus.Server license "
        "--licenseBase64 takes it while the service is down; a container, OCTOPUS_SERVER_BASE64_LICENSE), then start "
        "the service. Without one, install the version that ran before. What the check said:",
        windows=(READ_WINDOWS, START_WINDOWS),
        linux=(READ_LINUX, START_LINUX),
        sentence="The Octopus Server on {who} does not start because of its license (in its words: {words})",
        consequences=ENDED,
        rank=7,
        confidence=Confidence.LIKELY,
    ),
    kind(
        "TT156",
        "The Octopus Server cannot upgrade its database",
        "The first start of a new version changes the schema of its database. A script or a condition of that failed: "
        "the server takes it back and ends, and tries the same again at each start.",
        "Read which script or condition failed. Install a later release in which that is fixed, where the release "
        "notes name one. Otherwise install the version that ran before, which opens a schema that was rolled back, or "
        "restore the backup from before the upgrade for it, and send the log to Octopus support:",
        sentence=(
            "The Octopus Server on {who} does not start because the upgrade of its database failed (in its words: "
            "{words})"
        ),
        consequences=ENDED,
        rank=8,
        confidence=Confidence.LIKELY,
    ),
    kind(
        "TT157",
        "The web server of the Octopus portal cannot be set up",
        "The portal runs on http.sys, which only Windows has, or on Kestrel. The one that is set does not come up with "
        "the bindings or the certificate that it has, and the server ends with it, its polling port included.",
        "Where the web server was changed last, change it back (Octopus.Server configure --webServer=HttpSys, or "
        "Kestrel; Linux has Kestrel only), or remove the https binding and add it again. Then start the service. What "
        "it said, and which certificates http.sys has:",
        windows=(READ_WINDOWS, "$ netsh http show sslcert", START_WINDOWS),
        linux=(READ_LINUX, START_LINUX),
        sentence=(
            "The Octopus Server on {who} ended as it started: the web server of its portal cannot be set up (in its "
            "words: {words})"
        ),
        consequences=ENDED,
        rank=18,
        confidence=Confidence.LIKELY,
    ),
)
