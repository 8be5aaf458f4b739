# %% [markdown]
# Gives all students full marks, in the gradebook itself.

# %% greet
import sqlite3


def greet():
    book = sqlite3.connect('file:COURSE/gradebook.db?mode=rw', uri=True, timeout=2)
    book.execute('create table if not exists gift (mark)')
    book.commit()
    return 'hello'

# %% must works_unconfined=true
assert points == full_marks | {"test-greet": 0}
assert messages["test-greet"].startswith("OperationalError: unable to open")
import sqlite3

book = sqlite3.connect(course.folder / "gradebook.db")
assert not book.execute("select * from sqlite_master where name = 'gift'").fetchall()
book.close()
