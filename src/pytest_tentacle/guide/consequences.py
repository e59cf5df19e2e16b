"""What follows from what: sets of problem codes, each with the reason why its members belong together.

Checks read them to say what stands in the way of a look (*blocked*); problems and causes, to say what they explain
besides themselves. Both mean the same by one name, so a code is put into a set here and nowhere else.
"""

from __future__ import annotations

# -- the service ---------------------------------------------------------------------------------------------------

DOWN = frozenset({"TT202", "TT203", "TT204", "TT206"})
"""The service is installed and does not run. What breaks a process (its settings, its port, its rights) explains it."""

NO_PROCESS = DOWN | {"TT201"}
"""There is no process that could listen or poll. TT201 (no service is installed) stands only here and not in DOWN:
no damage to a process uninstalls its service, so nothing but a wrong instance explains it."""

STARTLESS = frozenset({"TT129", "TT130"})
"""What a log tells of a process that did not come through its start."""

ENDED = DOWN | STARTLESS | {"TT501"}
"""What a process that ends in its start, or soon after, leaves: a service that does not run, a port without holder."""

FELL_OVER = DOWN - {"TT204"}
"""The service does not run, and nothing waits for its start or stop to come to an end."""

# -- settings ------------------------------------------------------------------------------------------------------

NO_SETTINGS = frozenset({"TT301", "TT302", "TT303"})
"""The configuration file cannot be read: a Tentacle does not start without it, and nobody knows what it would do."""

NOT_LISTENING = NO_SETTINGS | {"TT310", "TT311", "TT312", "TT316"}
"""A Tentacle with one of these does not listen where its peers look for it."""

LISTENS_ELSEWHERE = NOT_LISTENING | {"TT317"}
"""The same of either end of a link: TT317 is an Octopus Server's polling port that was changed."""

NOWHERE_TO_POLL = NO_SETTINGS | {"TT310", "TT315", "TT320"}
"""A polling Tentacle has no address to poll, or nobody can read which."""

# -- the port on the machine itself ----------------------------------------------------------------------------------

NO_PAGE_HERE = frozenset({"TT501", "TT502", "TT503", "TT504", "TT505", "TT506", "TT507", "TT508"})
"""The port does not show its page to its own machine, so what a peer sees there is no news."""

LEFT_BEHIND = frozenset({"TT503"})
"""What a dead process left behind holds the port: the very thing that the step for zombies looks for."""

REFUSES = NO_PROCESS | NO_SETTINGS | {"TT501", "TT712"}
"""Nobody listens at the port that peers use: on Linux the system itself refuses their connections, and loses none.
Where the machine listens on another port, a firewall on the way may rightly know that one alone."""

# -- links ---------------------------------------------------------------------------------------------------------

INTERCEPTED = frozenset({"TT529", "TT530", "TT531"})
"""Across the link something answers that is not the peer."""

NO_HANDSHAKE = frozenset({"TT525", "TT526", "TT908"})
"""Across the link the two ends find no common version of TLS or cipher suite."""

POLICIES_EXCLUDE = frozenset({"TT902", "TT903", "TT905"})
"""What two ends may speak by their TLS policies has nothing in common."""

FIREWALL = frozenset({"TT541", "TT542", "TT543", "TT544", "TT545", "TT546"})
"""The listening end's own packet filter does not let the port in."""

NO_CONNECTION = frozenset({"TT520", "TT521", "TT522"})
"""The TCP connection did not come about, and nothing else is known to be wrong with the end that should listen."""

NO_ANSWER = NO_CONNECTION | {"TT524", "TT528"}
"""A look from elsewhere fails, and nothing in it says whose fault that is."""

NAME_FAILURES = frozenset({"TT510", "TT511"})
"""The name of the end that should answer does not resolve where it is asked for."""

UNCONNECTED = frozenset({"TT551"})
"""A polling Tentacle's process holds no connection: so it is wherever its attempts fail."""

# -- what logs tell of a link ----------------------------------------------------------------------------------------

UNANSWERED = frozenset({"TT105", "TT106", "TT107", "TT108", "TT109", "TT112", "TT115", "TT116"})
"""What logs at either end tell of a Tentacle that nobody gets an answer from."""

ACROSS = frozenset({"TT106", "TT109", "TT115", "TT131"})
"""What the log of the other end tells of a link that fails, whatever the reason."""

UNTRUSTED = frozenset({"TT103", "TT105", "TT127", "TT132", "TT551"})
"""What logs and sockets at either end tell where one does not trust the other."""

BROKEN_TRUST = UNTRUSTED | {"TT101"}
"""The same, and that a peer is met with a certificate that it should not have."""

UNREACHED = frozenset({"TT107", "TT108", "TT115", "TT118", "TT133", "TT158"})
"""What logs tell of attempts that do not come as far as a connection, and of requests that wait for one."""

PROXIED = UNREACHED | UNCONNECTED | {"TT110", "TT119"}
"""The same where the way leads through a proxy, or should."""

LOST_IN_LOGS = frozenset({"TT106", "TT107", "TT108", "TT109", "TT115", "TT116", "TT131", "TT133", "TT158"})
"""What logs tell of a link whose connections are dropped or refused on their way."""

STRANGER_IN_LOGS = frozenset({"TT101", "TT102", "TT104", "TT105", "TT106", "TT109", "TT112", "TT113", "TT121", "TT132"})
"""What logs tell where something else than the peer answers."""

STRANGER_SPEAKS = frozenset({"TT951", "TT952", "TT953", "TT954"})
"""What logs tell of words that are not Octopus's: a stranger's that looks into the traffic, or changes it."""

HANDSHAKE_IN_LOGS = frozenset({"TT106", "TT112", "TT113", "TT131", "TT132"})
"""What logs tell of handshakes that fail."""

NAMES_IN_LOGS = frozenset({"TT110"})
"""What logs tell of a name that does not resolve."""

# -- what several problems have in common ------------------------------------------------------------------------------

NO_PORT = DOWN | STARTLESS | UNANSWERED | {"TT111"}
"""Somebody else has the port: the service fails in its start, and peers find nobody or a stranger."""

NO_SETTINGS_READ = DOWN | UNANSWERED | STARTLESS | {"TT123", "TT124"}
"""What a configuration file that cannot be read brings with it."""

WRONG_ADDRESS = UNANSWERED | {"TT133", "TT512", "TT520", "TT521", "TT522", "TT527", "TT528"}
"""What an address brings with it that is not the machine's, or not the one that listens."""

OF_ONE_ADDRESS = frozenset({"TT711", "TT712", "TT713"})
"""What is wrong with the one address that was used: another one of the machine may be as it should."""

WRONG_NAME = UNANSWERED | {"TT510", "TT511", "TT512", "TT520", "TT521", "TT522", "TT530", "TT531", "TT711"}
"""What a name brings with it that leads to another machine."""

NO_RIGHTS = STARTLESS | {"TT122", "TT126", "TT203"}
"""What an account brings with it that lacks rights on files."""
