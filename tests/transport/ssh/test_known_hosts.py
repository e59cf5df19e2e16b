"""OpenSSH's known_hosts format."""

from __future__ import annotations

import base64
import subprocess

import pytest

from pytest_tentacle.transport.ssh.known_hosts import (
    Entry,
    Trust,
    append_key,
    fingerprint,
    known_names,
    load_known_hosts,
)

KEY = b"\x00\x00\x00\x0bssh-ed25519one"
real = Entry.matches
OTHER = b"\x00\x00\x00\x0bssh-ed25519two"


def line(names: str, key: bytes = KEY, kind: str = "ssh-ed25519") -> str:
    return f"{names} {kind} {base64.b64encode(key).decode()} a comment\n"


class TestLoad:
    @pytest.mark.parametrize(
        ("names", "host", "port", "known"),
        [
            ("box", "box", 22, True),
            ("box", "BOX", 22, True),
            ("BOX", "box", 22, True),
            ("a,box,b", "box", 22, True),
            ("box2", "box", 22, False),
            ("[box]:2222", "box", 2222, True),
            ("[box]:2222", "box", 22, False),
            ("[box]:2222", "box", 2223, False),
            ("box", "box", 2222, True),
            ("*.lab", "box.lab", 22, True),
            ("b?x", "box", 22, True),
            ("[*.lab]:2222", "box.lab", 2222, True),
            ("*.lab,!bad.lab", "bad.lab", 22, False),
            ("!bad.lab,*.lab", "good.lab", 22, True),
            ("::1", "::1", 22, True),
            ("[::1]:2222", "::1", 2222, True),
        ],
    )
    def test_names(self, tmp_path, names, host, port, known) -> None:
        """Lists, wildcards, negation, ports and letters of either case, as sshd(8) has them."""
        path = tmp_path / "known_hosts"
        path.write_text(line(names))
        found = load_known_hosts(known_names(host, port, None), [[path]])

        assert found.judge("ssh-ed25519", fingerprint(KEY))[0] is (Trust.KNOWN if known else Trust.UNKNOWN)

    def test_hashed_by_openssh(self, tmp_path) -> None:
        """Names that ssh-keygen has hashed are found; others are not."""
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / "key")], check=True)
        kind, encoded = (tmp_path / "key.pub").read_text().split()[:2]
        key = base64.b64decode(encoded)
        path = tmp_path / "known_hosts"
        path.write_text(f"box.lab {kind} {encoded}\n[box.lab]:2222 {kind} {encoded}\n")
        subprocess.run(["ssh-keygen", "-q", "-H", "-f", str(path)], check=True, capture_output=True)
        assert "box" not in path.read_text()

        for host, port, expected in [("Box.lab", 22, True), ("box.lab", 2222, True), ("fox.lab", 22, False)]:
            trust = load_known_hosts(known_names(host, port, None), [[path]]).judge(kind, fingerprint(key))[0]
            assert trust is (Trust.KNOWN if expected else Trust.UNKNOWN)

    def test_passes_over_what_it_cannot_read(self, tmp_path) -> None:
        """Comments, short lines, broken base64, broken hashes, authorities and odd bytes do not hide the rest."""
        path = tmp_path / "known_hosts"
        path.write_bytes(
            b"# box ssh-ed25519 AAAA\n\nbox\nbox ssh-ed25519 %%%\n|1|x|y ssh-ed25519 AAAA\n|1|broken ssh-ed25519 AAAA\n\xff\xfe\n"
            + ("@cert-authority " + line("*", OTHER)).encode()
            + line("box").encode()
        )
        found = load_known_hosts(("box",), [[path]])

        assert [entry.key for entry in found.entries] == [KEY]
        assert found.entries[0].place == f"{path}:9"

    def test_an_alias_stands_alone(self) -> None:
        """HostKeyAlias is looked up without port, and instead of the host."""
        assert known_names("box", 2222, "Alias") == ("alias",)

    def test_several_files_and_keys(self, tmp_path) -> None:
        """All files of one group count; a missing one is passed over."""
        (tmp_path / "a").write_text(line("box"))
        (tmp_path / "b").write_text(line("box", OTHER))
        found = load_known_hosts(("box",), [[tmp_path / "a", tmp_path / "missing", tmp_path / "b"]])

        assert (
            found.judge("ssh-ed25519", fingerprint(KEY))[0]
            is found.judge("ssh-ed25519", fingerprint(OTHER))[0]
            is Trust.KNOWN
        )
        assert found.judge("ssh-ed25519", fingerprint(b"third"))[0] is Trust.CHANGED

    def test_lines_of_plain_names_are_not_gone_through(self, tmp_path, monkeypatch) -> None:
        """Each of 5,000 machines went through the lines of all 5,000: that was a third of a run."""
        compared = []
        monkeypatch.setattr(Entry, "matches", lambda entry, name: compared.append(name) or real(entry, name))
        path = tmp_path / "known_hosts"
        path.write_text("".join(line(f"box-{number},[box-{number}]:2222") for number in range(300)) + line("*.lab"))
        for number in range(300):
            found = load_known_hosts(known_names(f"box-{number}", 2222, None), [[path]])
            assert [entry.place for entry in found.entries] == [f"{path}:{number + 1}"]
        assert len(compared) == 2 * 300  # with the one line that has a wildcard, by both names

    def test_entries_are_those_that_match_in_the_files_order(self, tmp_path) -> None:
        """Whatever kind of names stand before and behind one another."""
        names = ["box", "*", "BOX,other", "b?x,!box", "!box,*", "[box]:2222", "box,box", "other", "|1|no", "a,,box", ""]
        path = tmp_path / "known_hosts"
        path.write_text("".join(line(each) for each in names * 2))
        for asked in (("box",), ("[box]:2222", "box"), ("other",), ("boox",), ("*",)):
            every = [
                (number, Entry(each, "", b"", revoked=False, place=""))
                for number, each in enumerate(names * 2, 1)
                if each
            ]
            expected = [f"{path}:{number}" for number, entry in every if any(map(entry.matches, asked))]
            found = load_known_hosts(asked, [[path]])
            assert [entry.place for entry in found.entries] == expected, asked

    def test_a_changed_file_is_read_again(self, tmp_path) -> None:
        """What was read is kept only as long as the file stays as it is."""
        path = tmp_path / "known_hosts"
        path.write_text(line("box"))
        assert load_known_hosts(("fox",), [[path]]).entries == ()
        append_key(path, "fox", "ssh-ed25519", OTHER)

        assert load_known_hosts(("fox",), [[path]]).judge("ssh-ed25519", fingerprint(OTHER))[0] is Trust.KNOWN
        assert load_known_hosts(("box",), [[path]]).judge("ssh-ed25519", fingerprint(KEY))[0] is Trust.KNOWN


class TestFingerprint:
    def test_is_openssh_s(self, tmp_path) -> None:
        """The same text as ssh-keygen's."""
        subprocess.run(["ssh-keygen", "-q", "-t", "ecdsa", "-N", "", "-f", str(tmp_path / "key")], check=True)
        blob = base64.b64decode((tmp_path / "key.pub").read_text().split()[1])
        told = subprocess.run(
            ["ssh-keygen", "-lf", str(tmp_path / "key.pub")], check=True, capture_output=True, text=True
        )

        assert fingerprint(blob) == told.stdout.split()[1]
