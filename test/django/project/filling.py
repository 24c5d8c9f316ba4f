"""Makes the site: Django's own migrations, people, and 300 rows whose files went through Django's own FileField."""

import os
import shutil
from datetime import date

from django.contrib.auth.models import User
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import call_command
from django.db import transaction

from app.models import Archived, Attachment, CountedDownload, FileSubmission, Profile
from reading import read

ROWS = 300

# Names as users upload them. A storage that keeps names writes them as they are.
ODD_NAMES = [
    "Müller Übersicht.pdf",  # NFC
    "Mu\u0308ller U\u0308bersicht.pdf",  # NFD
    "日本語の報告書.pdf",
    "报告 (最终).pdf",
    "한국어.txt",
    "العربية.pdf",
    "😀 party 👩\u200d💻.png",
    "\U0001f1e6\U0001f1f9.gif",
    "\"quoted\" 'twice'.pdf",
    "it's.pdf",
    "foo-%41.pdf",
    "foo-%2F%2e%2e.pdf",
    "100%.pdf",
    "%",
    "  two spaces  in  it .pdf",
    " leading.pdf",
    "trailing.pdf ",
    "no\u00a0break.pdf",
    ".htaccess",
    "..hidden.pdf",
    "...",
    "trailing dot.",
    "trailing dots...",
    "a?b#c&d=e+f;g,h@i!j$k*l~m.pdf",
    "<b>|:.pdf",
    "(1) [2] {3}.pdf",
    "con.txt",
    "invoice\u202efdp.exe",
    "line\u2028break.pdf",
    "no extension",
    "A.pdf",
    "a.pdf",
    "archive.tar.gz",
    "page.html",
    "x" * 300 + ".pdf",
    "長" * 75 + ".pdf",
    "a long name " * 20 + ".docx",
]

# Values that older versions of Django wrote, code that assigns strings, and functions for upload_to. All of them name a file
# that Django opens.
SPELLINGS = {
    "uploads//two slashes.pdf": "uploads/two slashes.pdf",
    "./uploads/dot.pdf": "uploads/dot.pdf",
    "uploads/./inner dot.pdf": "uploads/inner dot.pdf",
    "uploads/old/../two dots.pdf": "uploads/two dots.pdf",
    "uploads//shared.pdf": "uploads/shared.pdf",
    "uploads/./shared.pdf": "uploads/shared.pdf",
    "uploads/shared.pdf": "uploads/shared.pdf",
}
UNUSUAL = ["uploads/back\\slash.pdf", "uploads/tab\there.pdf", "C:report.pdf", ".incomplete/left.pdf"]


def make():
    """Migrates the database, fills it, and says what Django reads then."""
    call_command("migrate", verbosity=0)
    with transaction.atomic():
        people = [User.objects.create_user(name, password=f"the password of {name}") for name in ("alice", "bob")]
        put("defaults/avatar.png", b"\x89PNG the shared avatar")
        submissions(people)
        attachments()
        others()
    return read()


def submissions(people):
    count = 0

    def submission(description, **values):
        nonlocal count
        count += 1
        return FileSubmission(description=description, owner=people[count % 2], **values)

    for name in ODD_NAMES:
        upload(submission("odd"), name)
    for _ in range(10):
        upload(submission("suffix"), "report.pdf")  # all but the first get a suffix
    for value, path in SPELLINGS.items():
        put(path, f"the file {path}".encode())
        submission("spelling", uploaded_file=value).save()
    put("uploads/absolute.pdf", b"the file of an absolute path")
    submission("spelling", uploaded_file=default_storage.path("uploads/absolute.pdf")).save()
    for value in UNUSUAL:
        put(value, f"the file {value}".encode())
        submission("unusual", uploaded_file=value).save()
    upload(submission("plain", id=1_234_567_890), "above a milliard.pdf")
    submission("none", uploaded_file="").save()
    for index in range(5):
        missing = submission("missing")
        upload(missing, f"missing {index}.pdf")
        os.remove(missing.uploaded_file.path)
    while count < ROWS - 80:
        upload(submission("plain"), f"document {count}.pdf", size=count * 37)


def upload(submission, name, size=0):
    """As a form does it."""
    content = f"{submission.owner_id} {name} ".encode() * (1 + size // 20)
    submission.uploaded_file.save(name, ContentFile(content))


def attachments():
    for index in range(30):
        Attachment().file.save(f"Anhang Nr. {index}, März.txt", ContentFile(b"attachment %d" % index))
    Attachment(file="").save()
    # Django itself writes NULL for no file: a migration that adds the column does.
    Attachment.objects.filter(pk=Attachment.objects.create().pk).update(file=None)
    assert Attachment.objects.filter(file__startswith=date.today().strftime("uploads/%Y/")).count() == 30


def others():
    for index in range(20):
        counted = CountedDownload(description="counted", downloads=index)
        counted.downloadable.save("song.mp3", ContentFile(b"la " * index))
    for index in range(28):
        profile = Profile(id=3_000_000_000 + index)
        if index % 4 == 0:
            profile.avatar.save(f"me {index}.png", ContentFile(b"\x89PNG %d" % index))
        profile.save()
    for submission in FileSubmission.objects.filter(description="suffix"):
        Archived(file=submission.uploaded_file.name).save()


def put(path, content):
    """Writes a file past Django, as a shell does."""
    path = os.path.join(default_storage.location, path)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(content)
