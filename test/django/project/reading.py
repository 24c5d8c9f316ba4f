"""What Django reads in its rows."""

import hashlib
import os

from django.apps import apps
from django.urls import reverse

from app.models import Archived, Attachment, CountedDownload, FileSubmission, Profile

FIELDS = {
    FileSubmission: "uploaded_file",
    CountedDownload: "downloadable",
    Attachment: "file",
    Profile: "avatar",
    Archived: "file",
}


def read():
    """Each row, with the size and the hash of what `instance.file.open()` gives."""
    return [row(instance, field) for model, field in FIELDS.items() for instance in model.objects.order_by("pk")]


def read_row(model, id):
    """One of them."""
    model = apps.get_model("app", model)
    return row(model.objects.get(pk=id), FIELDS[model])


def row(instance, field):
    file = getattr(instance, field)
    return {
        "model": type(instance).__name__,
        "id": str(instance.pk),
        "kind": getattr(instance, "description", "plain"),
        "owner": getattr(getattr(instance, "owner", None), "username", None),
        "value": file.name,
        **(content(file) if file else {}),
        **(links(instance, field, file) if file else {}),
    }


def content(file):
    try:
        with file.open() as opened:
            content = opened.read()
    except FileNotFoundError:
        return {"missing": True}
    return {"size": file.size, "sha256": hashlib.sha256(content).hexdigest()}


def links(instance, field, file):
    """The address of django-private-files, and that of Django itself."""
    meta = instance._meta
    args = [meta.app_label, meta.model_name, field, instance.pk, os.path.basename(file.name)]
    return {"old_link": reverse("file", args=args), "link_by_path": file.url}
