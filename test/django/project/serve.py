"""Django as a program that a test talks to: each line on standard input is a command in JSON, and is answered with a line of JSON."""

import json
import sys
import traceback

import django
from django.db import connections
from django.test.utils import override_settings

django.setup()

import changes
import filling
import reading
import sessions

def use(database, media_root):
    """Turns to a copy of the site, as Django's own test runner turns to the test database."""
    connections["default"].close()
    connections["default"].settings_dict["NAME"] = database
    override_settings(MEDIA_ROOT=media_root).enable()
    changes.move_absolute_path()


def leave():
    """Lets go of the database, so that it can be copied or dropped."""
    connections["default"].close()


COMMANDS = {"make": filling.make, "read": reading.read, "read_row": reading.read_row, "use": use, "leave": leave}
for module in (changes, sessions):
    COMMANDS.update({name: value for name, value in vars(module).items() if callable(value)})


def answer(line):
    name, arguments = json.loads(line)
    try:
        return {"result": COMMANDS[name](**arguments)}
    except Exception:
        return {"error": traceback.format_exc()}


for line in sys.stdin:
    print(json.dumps(answer(line)), flush=True)
