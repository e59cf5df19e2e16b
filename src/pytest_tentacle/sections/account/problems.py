"""TT80x: the rights of the service's account on Octopus Home."""

from __future__ import annotations

from pytest_tentacle.guide.consequences import NO_RIGHTS
from pytest_tentacle.guide.problem import ProblemKind

_STEP = "service-account-permissions"
_GRANT = '$ icacls "<home>" /grant "*<sid>:(OI)(CI)M"'
_GRANT_HERE = '$ icacls "<path>" /grant "*<sid>:(OI)(CI)M"'
_SHOW = '$ Get-Acl -LiteralPath "<path>" | Format-List Owner, AccessToString'
_OWN_HOME = '$ sudo chown "<account>" "<home>"'
_OWN_FOLDERS = '$ sudo chown -R "<account>" "<home>/Logs" "<home>/Work" "<home>/Tools" "<home>/Files" "<home>/Packages"'
_OWN_HERE = '$ sudo chown -R "<account>" "<path>"'
_LIST = '$ ls -ld "<path>"'

ACCOUNT: tuple[ProblemKind, ...] = (
    ProblemKind(
        "TT801",
        "The service account lacks rights on Octopus Home",
        _STEP,
        "The account that the service runs as cannot read, write and delete in the folder Octopus Home. The guide "
        "asks for full control of it, with all that is below.",
        (
            (
                "Give the account Modify on Octopus Home (the guide asks for full control). Everything that "
                "inherits gets it, and nothing "
                "is taken from what applications keep to themselves. See what stands there now:"
            ),
            _SHOW,
            _GRANT,
        ),
        (
            (
                "Make the account the owner of Octopus Home and of what is Tentacle's own below (some of these may not "
                "be there). Not of all that is below: applications own what they keep there. See what stands there now:"
            ),
            _LIST,
            _OWN_HOME,
            _OWN_FOLDERS,
        ),
        sentence="The account that the service of {who} runs as has too few rights on Octopus Home.",
        consequences=NO_RIGHTS | {"TT802"},
        fold_by=("account",),
        rank=20,
    ),
    ProblemKind(
        "TT802",
        "The service account lacks rights below Octopus Home",
        _STEP,
        "The account may work in Octopus Home itself, but not with everything below: a folder or file there does not "
        "inherit its rights, or somebody else made it, such as an administrator who ran a command by hand.",
        (
            (
                "Give the account Modify there and on nothing else: what applications keep to themselves stays as it "
                "is. See what stands there now:"
            ),
            _SHOW,
            _GRANT_HERE,
        ),
        (
            (
                "Make the account the owner there and of nothing else: it is Tentacle's own, and what applications "
                "keep to themselves stays as it is. See what stands there now:"
            ),
            _LIST,
            _OWN_HERE,
        ),
        sentence=(
            "The account that the service of {who} runs as may not work with everything below Octopus Home: somebody "
            "else made it, or it does not inherit."
        ),
        consequences=NO_RIGHTS,
        fold_by=("account",),
        rank=25,
    ),
    ProblemKind(
        "TT803",
        "A deny entry removes the account's rights",
        _STEP,
        "The account, or a group that it is in, is given the rights on Octopus Home or below, and another entry "
        "denies them. A deny entry overrides allow entries.",
        (
            "See which entry it is, and remove it (for one of a group, think of the others in it first):",
            _SHOW,
            '$ icacls "<path>" /remove:d "*<sid>"',
        ),
        ("See which entry it is, and remove it:", '$ getfacl "<path>"'),
        sentence="An entry of an access list denies the service's account of {who} what others allow.",
        consequences=NO_RIGHTS | {"TT801", "TT802"},
        fold_by=("account",),
        rank=20,
    ),
)
