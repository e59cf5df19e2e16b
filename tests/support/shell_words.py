"""Which programs a POSIX shell script of our own plain style calls: every word in a command's place, and what stands behind it.

It knows no backticks and no aliases, and fails on what it does not know. Substitutions are read wherever they stand.
"""

from __future__ import annotations

import re

_RESERVED = frozenset({"if", "then", "else", "elif", "fi", "do", "done", "while", "until", "{", "}", "!"})
_NAME = re.compile(r"\w+|[?!@*#$-]")
_REDIRECTION = re.compile(r"\d?(<<-?|>>|>&|<&|<>|>\||<|>)")
_BREAKS = " \t\n;|&<>()"


class Shell:
    """A script's calls, each a tuple of words, its functions' names, the files that it opens, and its texts in quotes."""

    def __init__(self, text: str) -> None:
        self.calls: list[tuple[str, ...]] = []
        self.functions: set[str] = set()
        self.files: set[tuple[str, str]] = set()
        self.quoted: list[str] = []
        self._text, self._at = text, 0
        self._here: list[str] = []
        self._commands(until="")

    def _commands(self, until: str) -> None:
        """As far as the end, or the closing parenthesis of a substitution."""
        call: list[str] = []
        depth, patterns = 0, list[bool]()
        while self._skip_blanks():
            if patterns and patterns[-1] and not call:
                self._pattern(patterns)
                continue
            sign = self._text[self._at]
            if sign in "\n;|&()":
                if sign == "(" and len(call) == 1 and self._text.startswith("()", self._at):
                    self.functions.add(call[0])
                    call, self._at = [], self._at + 2
                    continue
                self._end(call)
                call = []
                if sign == ")" and until == ")" and not depth:
                    return
                depth += {"(": 1, ")": -1}.get(sign, 0)
                if self._text.startswith(";;", self._at):
                    patterns[-1] = True
                    self._at += 1
                self._at += 1
                if sign == "\n":
                    self._skip_documents()
            elif found := _REDIRECTION.match(self._text, self._at):
                self._redirected(found)
            else:
                self._word_of(call, patterns)
        self._end(call)

    def _word_of(self, call: list[str], patterns: list[bool]) -> None:
        word = self._word()
        if call:
            call.append(word)
        elif word == "case":
            self._skip_blanks()
            self._word()
            self._skip_blanks()
            assert self._word() == "in"
            patterns.append(True)
        elif word == "for":
            self._skip_blanks()
            self._word()
            call.append("for")
        elif word not in _RESERVED and not re.match(r"\w+=", word):
            call.append(word)

    def _end(self, call: list[str]) -> None:
        if call and call[0] != "for":
            self.calls.append(tuple(call))

    def _skip_blanks(self) -> bool:
        """Whether something is left."""
        found = re.compile(r"(?:[ \t]|\\\n|#[^\n]*)*").match(self._text, self._at)
        self._at = found.end() if found else self._at
        return self._at < len(self._text)

    def _pattern(self, patterns: list[bool]) -> None:
        """One branch's patterns, or the end of the branches."""
        if self._text[self._at] == "\n":
            self._at += 1
        elif re.compile(r"esac\b").match(self._text, self._at):
            self._at += 4
            patterns.pop()
        else:
            while self._text[self._at] != ")":
                if self._text[self._at] in " \t|(":
                    self._at += 1
                else:
                    self._word()
            self._at += 1
            patterns[-1] = False

    def _redirected(self, found: re.Match[str]) -> None:
        self._at = found.end()
        self._skip_blanks()
        word = self._word()
        if found[1].startswith("<<"):
            self._here.append(word.strip("'\""))
        elif not found[1].endswith("&"):
            self.files.add((found[1], word))

    def _skip_documents(self) -> None:
        for mark in self._here:
            end = re.compile(rf"^\t*{re.escape(mark)}$", re.MULTILINE).search(self._text, self._at)
            assert end is not None
            self._at = end.end() + 1
        self._here.clear()

    def _word(self) -> str:
        text, begun = "", self._at
        while self._at < len(self._text) and self._text[self._at] not in _BREAKS:
            sign = self._text[self._at]
            if sign == "\\":
                text += self._text[self._at + 1 : self._at + 2]
                self._at += 2
            elif sign == "'":
                end = self._text.index("'", self._at + 1)
                text += self._text[self._at : end + 1]
                self.quoted.append(self._text[self._at + 1 : end])
                self._at = end + 1
            elif sign == '"':
                text += self._quoted()
            else:
                text += self._one(sign)
        assert self._at > begun, f"not understood: {self._text[begun - 80 : begun + 40]!r}"
        return text

    def _quoted(self) -> str:
        text, self._at = '"', self._at + 1
        while self._text[self._at] != '"':
            if self._text[self._at] == "\\":
                text += self._text[self._at : self._at + 2]
                self._at += 2
            else:
                text += self._one(self._text[self._at])
        self._at += 1
        return text + '"'

    def _one(self, sign: str) -> str:
        """A letter, or what stands for a value."""
        assert sign != "`", "backticks are not understood"
        if sign == "$":
            return self._value()
        self._at += 1
        return sign

    def _value(self) -> str:
        begun = self._at
        if self._text.startswith("$((", begun):
            depth = 0
            while True:
                depth += {"(": 1, ")": -1}.get(self._text[self._at], 0)
                self._at += 1
                if not depth and self._text[self._at - 1] == ")":
                    return self._text[begun : self._at]
        if self._text.startswith("$(", begun):
            self._at += 2
            self._commands(until=")")
            self._at += 1
            return "$()"
        if self._text.startswith("${", begun):
            self._at += 2
            while self._text[self._at] != "}":
                if self._text[self._at] == "'":
                    self._at = self._text.index("'", self._at + 1) + 1
                elif self._text[self._at] == "\\":
                    self._at += 2
                else:
                    self._one(self._text[self._at])
            self._at += 1
            return self._text[begun : self._at]
        found = _NAME.match(self._text, begun + 1)
        self._at = found.end() if found else begun + 1
        return self._text[begun : self._at]
