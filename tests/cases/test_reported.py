"""Problems that people reported in public: the first cause that names the machine is the true one."""

from support.replaying import Case, replayed, verdict


def test_the_first_cause_is_the_true_one(case: Case) -> None:
    word, said = verdict(case, replayed(case))
    assert word == "RIGHT", f"{case.expected['truth']}\n{said}"
