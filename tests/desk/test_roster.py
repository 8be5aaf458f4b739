"""Class lists as platforms write them: who is new, gone, changed; no one is lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.term import CLASS, Term, make_term


@pytest.fixture
def term(tmp_path: Path) -> Term:
    return make_term(tmp_path)


def people(term: Term) -> dict[str, tuple[str | None, ...]]:
    """Return first name, last name, e-mail and platform id of each student in the gradebook."""
    with term.gradebook() as gradebook:
        return {
            s.id: (s.first_name, s.last_name, s.email, s.lms_user_id) for s in gradebook.students
        }


def entered(term: Term, text: str, *options: str, status: int = 0, encoding: str = "utf-8") -> str:
    """Enter a class list; return what is printed."""
    term.write("class.csv", text, encoding)
    done = term.run("roster", "class.csv", *options)
    assert done.exit_code == status, done.stderr
    return done.stdout + done.stderr


CANVAS = """\
Student,ID,SIS User ID,SIS Login ID,Section,01_filters (900)
    Points Possible,,,,,10
"Lovelace, Ada",101,,ada,"A and B",1
"Noether, Amalie Emmy",102,,emmy,A,
"O'Connor, Jr., Séan",104,,oconnor,A,
"Turing, Alan",120,S7,alan,B,
"Student, Test",9,,x,A,
"""


def test_a_gradebook_of_canvas(term: Term) -> None:
    text = entered(term, CANVAS)
    assert "class.csv: 1 new, 1 changed, 1 gone, 2 as before" in text
    assert people(term) == {
        **CLASS,
        "emmy": ("Amalie Emmy", "Noether", "emmy@uni.example", "102"),
        "alan": ("Alan", "Turing", None, "120"),
    }


def test_it_shows_who_is_new_gone_and_changed(term: Term) -> None:
    text = entered(term, CANVAS, "--dry-run")
    rows = {
        cells[0]: cells[1:]
        for line in text.splitlines()
        if len(cells := [cell.strip() for cell in line.split("│")[1:-1]]) == 4
    }
    assert rows == {
        "alan": ["new", "Turing, Alan", ""],
        "shafi": ["gone", "Goldwasser, Shafi", "Shafi@Uni.example"],
        "emmy": ["changed", "Noether, Amalie Emmy", "Emmy -> Amalie Emmy"],
    }
    assert "nothing was written" in text
    assert people(term) == CLASS


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("Vorname;Nachname;Anmeldename;E-Mail-Adresse\nZoë;Müller;zoe;zoe@uni.example\n", "cp1252"),
        ("Vorname;Name;Benutzername;Mail\r\nZoë;Müller;zoe;zoe@uni.example\r\n", "utf-8-sig"),
        ("Prénom,Nom,Identifiant,Adresse de courriel\nZoë,Müller,zoe,zoe@uni.example\n", "utf-8"),
        ("Nombre\tApellido(s)\tUsuario\tCorreo\nZoë\tMüller\tzoe\tzoe@uni.example\n", "utf-16"),
        ("id,first_name,last_name,email\nzoe,Zoë,Müller,zoe@uni.example\n", "utf-8"),
        ("student,first_name,last_name,email\nzoe,Zoë,Müller,zoe@uni.example\n", "utf-8"),
        ("login_id,full_name,email,status\nzoe,Zoë Müller,zoe@uni.example,active\n", "utf-8"),
    ],
)
def test_lists_in_other_languages_separators_and_encodings(
    term: Term, text: str, encoding: str
) -> None:
    entered(term, text, encoding=encoding)
    assert people(term)["zoe"] == ("Zoë", "Müller", "zoe@uni.example", None)


def test_the_list_of_moodle_s_participants_needs_the_column_of_the_logins(term: Term) -> None:
    text = "First name,Last name,Email address,Groups\nZoe,Miller,zoe@uni.example,A\n"
    assert "no column says the login (--id COLUMN names it): left out" in entered(
        term, text, status=1
    )
    entered(term, text, "--id", "Email address")
    assert "zoe@uni.example" in people(term)


def test_a_student_who_is_known_by_e_mail_keeps_the_login(term: Term) -> None:
    text = "First name,Last name,Email address\nEmmy,Noether,EMMY@uni.example\n"
    assert "0 new, 1 changed, 3 gone" in entered(term, text)


def test_what_a_list_does_not_say_stays(term: Term) -> None:
    entered(term, "id,first_name,last_name,email,lms_user_id\nada,,,,\n")
    assert people(term)["ada"] == CLASS["ada"]


def test_leading_zeros_stay(term: Term) -> None:
    entered(term, "id,lms_user_id\n007,0042\n")
    assert people(term)["007"][3] == "0042"


def test_the_dropped_have_left_and_are_kept_in_the_gradebook(term: Term) -> None:
    text = "login_id,full_name,status\nada,Ada Lovelace,active\nemmy,Emmy Noether,deleted\n"
    assert "emmy" in entered(term, text)
    assert "emmy" in people(term)


def test_who_handed_in_but_is_not_in_the_list_is_named(term: Term) -> None:
    (term.folder / "submitted" / "stranger" / "01_filters").mkdir(parents=True)
    text = entered(term, "id\nada\n")
    assert "handed in, but not in the list: stranger" in text


def test_a_login_that_is_there_twice_is_named(term: Term) -> None:
    text = "id,first_name,last_name\nzoe,Zoe,Miller\nzoe,Zoe,Mills\nzoe,Zoe,Miller\n"
    assert "zoe: line 3 is not like line 2: left out" in entered(term, text, status=1)
    assert people(term)["zoe"][1] == "Miller"


def test_a_login_that_cannot_be_a_folder_is_named(term: Term) -> None:
    text = "id,first_name,last_name\n../x,A,B\nzoe+1,C,D\n.hidden,E,F\n"
    assert entered(term, text, status=1).count("cannot be the name of a folder") == 3
    assert people(term) == CLASS


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("id,first_name\n", "class.csv has no student in it"),
        ("apple,pear\n1,2\n", "says who the students are"),
    ],
)
def test_what_is_no_class_list_is_one_line(term: Term, text: str, why: str) -> None:
    line = entered(term, text, status=2)
    assert why in line
    assert len(line.splitlines()) == 1
    assert people(term) == CLASS
