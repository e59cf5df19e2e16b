"""Secrets: where they may stand, that they survive as they are, and that nothing shows them."""

from __future__ import annotations

import pickle
import traceback

import keyring
import pytest
from hypothesis import given
from hypothesis import strategies as st
from keyring.backend import KeyringBackend
from keyring.errors import KeyringLocked

from pytest_tentacle.inventory import InventoryError, known_secrets, load, without_credentials
from pytest_tentacle.inventory.model import Inventory

CANARY = "C4nary-Geheim"

HARD_PASSWORDS = [
    'it\'s "quoted"',
    "$(whoami)`id`",
    "${",
    "${env:",
    "a${env:PATH}b",
    "}${}{",
    "grün-ß-日本",
    "  blanks around  ",
    "back\\slash\\",
    "%PATH% ^& | <>",
    "# not a comment: yes",
    "0123",
]


class Ring(KeyringBackend):
    """A keyring with one secret; the entry `locked` cannot be opened."""

    priority = 1

    def set_password(self, *_):
        pytest.fail("nothing is ever written")

    def get_password(self, service, username):
        if service == "locked":
            raise KeyringLocked(CANARY)
        return CANARY if (service, username) == ("octopus/check", "svc") else None


@pytest.fixture
def ring():
    before = keyring.get_keyring()
    keyring.set_keyring(Ring())
    yield
    keyring.set_keyring(before)


def ssh(password: str) -> str:
    return f"tentacles:\n  - {{name: t, transport: {{kind: ssh, password: {password}}}}}"


def password_of(inventory) -> str:
    return inventory.tentacles[0].transport.password.get_secret_value()


class TestSources:
    @pytest.mark.parametrize("password", HARD_PASSWORDS)
    def test_environment_variable_as_it_is(self, files, password):
        """What a variable holds is taken character by character; nothing in it is looked at again."""
        assert password_of(files.load(ssh("'${env:P}'"), P=password, PATH="/bin")) == password

    @pytest.mark.parametrize("password", HARD_PASSWORDS)
    def test_file_as_it_is(self, files, password):
        """What a file holds is taken likewise, but for one line end."""
        (files.folder / "p.txt").write_bytes(password.encode())
        assert password_of(files.load(ssh("'${file:p.txt}'"))) == password

    @pytest.mark.parametrize("password", HARD_PASSWORDS)
    def test_literal_as_it_is(self, files, password):
        """A literal password in YAML's single quotes is taken likewise."""
        quoted = password.replace("'", "''")
        assert password_of(files.load(ssh(f"'{quoted}'"), PATH="/bin")) == password

    @given(password=st.text(min_size=1).filter(lambda text: text.isprintable()))
    def test_any_text_by_variable(self, tmp_path_factory, password):
        """Any printable text survives."""
        path = tmp_path_factory.getbasetemp() / "any.yaml"
        path.write_text(ssh("'${env:P}'"))
        inventory = load([path], {"P": password})
        assert password_of(inventory) == password
        assert known_secrets(inventory) == {password}

    @pytest.mark.parametrize(
        ("held", "given"),
        [
            (b"x\n", "x"),
            (b"x\r\n", "x"),
            (b"x\n\n", "x\n"),
            (b" x ", " x "),
            (b"x\r", "x\r"),
            (b"\xef\xbb\xbfx\n", "x"),
        ],
    )
    def test_one_line_end_is_stripped(self, files, held, given):
        """One line end is the editor's; more are the user's."""
        (files.folder / "p.txt").write_bytes(held)
        assert password_of(files.load(ssh("'${file:p.txt}'"))) == given

    def test_file_is_beside_the_inventory_that_names_it(self, files, monkeypatch, tmp_path_factory):
        """A relative path counts from the inventory file, wherever pytest is run."""
        (files.folder / "p.txt").write_text(CANARY)
        monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
        assert password_of(files.load(ssh("'${file:p.txt}'"))) == CANARY

    @pytest.mark.usefixtures("ring")
    def test_keyring(self, files):
        """Service and user are parted at the last slash."""
        assert password_of(files.load(ssh("'${keyring:octopus/check/svc}'"))) == CANARY

    def test_passphrase(self, files):
        """A key's passphrase is a secret too."""
        inventory = files.load("tentacles: [{name: t, transport: {kind: ssh, passphrase: '${env:P}'}}]", P=CANARY)
        assert inventory.tentacles[0].transport.passphrase.get_secret_value() == CANARY

    def test_a_secret_that_nobody_inherits_need_not_be_there(self, files):
        """Own values win before anything is looked up."""
        inventory = files.load(
            "defaults: {tentacle: {transport: {kind: ssh, password: '${env:GONE}'}}}\n"
            "tentacles: [{name: t, transport: {password: '${env:P}'}}]",
            P=CANARY,
        )
        assert password_of(inventory) == CANARY


class TestLiteral:
    def test_warned_about_once(self, files):
        """A password in clear is accepted, with file and line, without its value, once however many inherit it."""
        inventory = files.load(
            f"defaults:\n  tentacle: {{transport: {{kind: ssh, password: {CANARY}}}}}\ntentacles: [a, b, c]"
        )
        assert inventory.warnings == (
            (
                f"{files.folder / 'prod.yaml'}:2: password in clear; "
                "better ${env:NAME}, ${file:path} or ${keyring:service/user}"
            ),
        )

    @pytest.mark.parametrize(("written", "meant"), [("0815", "0815"), ("true", "true"), ("1e3", "1e3"), ("no", "no")])
    def test_plain_scalars_keep_their_spelling(self, files, written, meant):
        """What YAML takes for a number or a truth value is a password here."""
        assert password_of(files.load(ssh(written))) == meant


class TestFaults:
    @pytest.mark.usefixtures("ring")
    @pytest.mark.parametrize(
        ("reference", "told"),
        [
            ("${env:PW}", "the environment variable is not set: 'PW'; did you mean 'PWX'?"),
            ("${env:EMPTY}", "the secret is empty: '${env:EMPTY}'"),
            ("${file:empty.txt}", "the secret is empty: '${file:empty.txt}'"),
            ("${keyring:svc}", "a keyring's secret needs service and user: 'svc'; write ${keyring:service/user}"),
            ("${keyring:a/b}", "the keyring has no such secret: 'a/b'; keyring set a b"),
            ("${keyring:locked/b}", "the keyring gives no answer (KeyringLocked): 'locked/b'"),
            ("${envv:PW}", "password is a reference of an unknown kind: 'envv'; did you mean 'env'?"),
            ("", "password is empty; leave the key out if there is none"),
        ],
    )
    def test_reference(self, files, reference, told):
        """A reference that gives nothing is told where it is written, with what is near."""
        (files.folder / "empty.txt").write_text("\n")
        environment = {"PWX": CANARY, "EMPTY": ""}
        assert files.faults(ssh(f"'{reference}'"), environment=environment) == [f"prod.yaml:2:48: {told}"]

    def test_wrong_type(self, files):
        """A password that is a list is refused, and not shown."""
        assert files.faults(ssh(f"[{CANARY}]")) == ["prod.yaml:2:48: password must be text, not a list"]

    def test_keyring_not_installed(self, files, without_module):
        """What to install is said."""
        without_module("keyring")
        assert files.faults(ssh("'${keyring:a/b}'")) == [
            "prod.yaml:2:48: keyring is not installed: 'a/b'; pip install 'pytest-tentacle[keyring]'",
        ]

    def test_file_missing(self, files):
        """A secret file that is not there is told by the path that was looked at."""
        (fault,) = files.error(ssh("'${file:no.txt}'")).faults
        assert fault.message == "there is no such secret file"
        assert (fault.value, fault.hint) == ("no.txt", f"looked for {files.folder / 'no.txt'}")

    @pytest.mark.parametrize("kind", ["folder", "utf-16", "large"])
    def test_file_unreadable(self, files, kind):
        """A secret file that is a folder, not UTF-8 or far too large is told with the reason."""
        path = files.folder / "p"
        if kind == "folder":
            path.mkdir()
        else:
            path.write_bytes(CANARY.encode("utf-16") if kind == "utf-16" else b"x" * 70_000)
        (fault,) = files.error(ssh("'${file:p}'")).faults
        assert fault.message.startswith("the secret file cannot be read (")
        reason = {"folder": "", "utf-16": "not UTF-8", "large": "larger than 65,536 bytes"}[kind]
        assert reason in fault.message

    def test_key_file_missing(self, files):
        """A private key or CA that is not there is a fault of the inventory, not of 400 logins."""
        (fault,) = files.error("tentacles: [{name: t, transport: {kind: ssh, key: no.pem}}]").faults
        assert (fault.line, fault.column, fault.message) == (1, 51, "key: there is no such file")
        assert (fault.value, fault.hint) == ("no.pem", f"looked for {files.folder / 'no.pem'}")

    def test_path_that_no_system_takes(self, files):
        """A path that cannot even be asked for is a fault, not a traceback."""
        long = "x" * 5000
        text = f"tentacles: [{{name: t, transport: {{kind: ssh, key: {long}, password: '${{file:{long}}}'}}}}]"
        assert len(files.error(text).faults) == 2


class TestNothingShowsThem:
    """A canary is planted wherever a secret may stand, and searched in all that can be shown."""

    GOOD = """
        defaults:
          tentacle: {transport: {kind: winrm, user: svc, password: '${env:P}'}}
        servers:
          - {name: s, transport: {kind: ssh, password: '${file:p.txt}', passphrase: '${env:P}'}}
        tentacles:
          - a
          - {name: b, transport: {password: "C4nary-Geheim"}}
    """

    def inventory(self, files) -> Inventory:
        (files.folder / "p.txt").write_text(f"{CANARY}-file\n")
        return files.load(self.GOOD, P=f"{CANARY}-env")

    def test_inventory(self, files):
        """Text, repr, dump and JSON of an inventory hold no secret; `known_secrets` alone has them."""
        inventory = self.inventory(files)
        assert known_secrets(inventory) == {CANARY, f"{CANARY}-env", f"{CANARY}-file"}
        machines = inventory.machines
        shown = [str(inventory), repr(inventory), str(inventory.model_dump()), inventory.model_dump_json()]
        shown += [str(inventory.model_dump(mode="json")), str(inventory.warnings)]
        shown += [repr(machine) + str(machine) + machine.model_dump_json() + machine.host_key for machine in machines]
        assert CANARY not in "".join(shown)

    def test_without_credentials(self, files):
        """What is saved has no secret even in memory, keeps every host_key, and comes back from JSON as it was."""
        inventory = self.inventory(files)
        bare = without_credentials(inventory)
        assert CANARY.encode() not in pickle.dumps(bare)
        assert CANARY.encode() in pickle.dumps(inventory)
        assert known_secrets(bare) == frozenset()
        assert "svc" not in bare.model_dump_json()
        assert [m.host_key for m in bare.machines] == [m.host_key for m in inventory.machines]
        assert Inventory.model_validate_json(bare.model_dump_json()) == bare
        assert Inventory.model_validate_json(bare.model_dump_json(exclude_none=True)) == bare

    @pytest.mark.parametrize(
        "text",
        [
            "tentacles: [{name: t, transport: {kind: ssh, pasword: CANARY}}]",
            "tentacles: [{name: t, password: CANARY}]",
            "tentacles: [{name: t, transport: {kind: local, password: CANARY}}]",
            "tentacles: [{name: t, transport: {kind: nope, password: CANARY}}]",
            "tentacles: [{name: t, transport: [{password: CANARY}]}]",
            "tentacles: [{name: t, transport: {kind: ssh, password: [CANARY]}}]",
            "tentacles: [{name: t, transport: {kind: ssh, password: {CANARY: CANARY}}}]",
            "tentacles: [{name: t, transport: {kind: ssh, password: *CANARY }}]",
            "tentacles: [{name: t, transport: {kind: ssh, password: &CANARY }}]",
            "tentacles: [{name: t, transport: {kind: ssh, password: !CANARY }}]",
            "tentacles: [{name: t, transport: {kind: ssh, password: !CANARY!x }}]",
            "tentacles:\n  - name: t\n    transport:\n      password: @CANARY",
            "tentacles:\n  - name: t\n    transport:\n      password: CANARY: x",
            "tentacles:\n  - name: t\n    transport:\n      password: 'CANARY",
            'tentacles:\n  - name: t\n    transport:\n      password: "CANARY\\q"',
            "tentacles:\n  - name: t\n    transport:\n      password: &CANARY x\n  - &CANARY y\n  - *x",
            "tentacles:\n  - name: t\n    transport:\n      password: |CANARY\n",
            "tentacles:\n  - name: t\n    transport:\n      password: %CANARY\n",
            "tentacles: [{name: t, transport: {kind: winrm, user: u, password: CANARY, scheme: http, auth: basic}}]",
            "tentacles: [{name: t, port: 0, transport: {kind: ssh, password: '${env:CANARY_VARIABLE}'}}]",
            "tentacles: [{name: t, port: 0, transport: {kind: ssh, password: '${file:p.txt}'}}]",
            "tentacles: [{name: t, port: '${env:CANARY_VARIABLE}', ip: '${env:CANARY_VARIABLE}'}]",
            "tentacles: [{name: t, mode: '${env:CANARY_VARIABLE}', dns_name: 'a b ${env:CANARY_VARIABLE}'}]",
            "tentacles: [{name: t, transport: '${env:CANARY_VARIABLE}'}]",
            "tentacles: [{name: t, thumbprint: '${env:CANARY_VARIABLE}'}]",
            "servers: [{name: s, portal: 'https://u:CANARY@h'}, {name: t, portal: 'ftp://u:CANARY@h'}]",
            "tentacles: [{name: t, dns_name: 'https://u:CANARY@h/'}]",
        ],
    )
    def test_faults(self, files, text, recwarn):
        """No fault shows a secret: not its text, not its traceback, not a warning on the way."""
        (files.folder / "p.txt").write_text(CANARY)
        planted = text.replace("CANARY_VARIABLE", "THE_VARIABLE").replace("CANARY", CANARY)
        try:
            files.load(planted, THE_VARIABLE=CANARY)
        except InventoryError as error:
            shown = str(error) + repr(error) + "".join(traceback.format_exception(error))
        else:
            pytest.fail("this text should have a fault")
        shown += "".join(str(warning.message) for warning in recwarn)
        assert CANARY not in shown
