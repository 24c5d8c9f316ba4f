"""What Django does to rows while TypeORM works on them, step by step."""

from django.apps import apps
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction

from app.models import FileSubmission

loaded = {}
open_transactions = []


def move_absolute_path():
    """Corrects the one absolute path after MEDIA_ROOT was copied."""
    path = default_storage.path("uploads/absolute.pdf")
    FileSubmission.objects.filter(uploaded_file__endswith="/media/uploads/absolute.pdf").update(uploaded_file=path)


def load(model, id):
    """Keeps an instance as it is now, as a request does that takes its time."""
    loaded[model, id] = apps.get_model("app", model).objects.get(pk=id)


def save(model, id, set={}, update_fields=None):
    """Saves what `load` has kept."""
    instance = loaded[model, id]
    for name, value in set.items():
        setattr(instance, name, value)
    instance.save(update_fields=update_fields)


def upload(model, id, field, name, text):
    """Gives a row another file."""
    getattr(apps.get_model("app", model).objects.get(pk=id), field).save(name, ContentFile(text.encode()))


def delete(model, id):
    apps.get_model("app", model).objects.get(pk=id).delete()


def begin():
    """Opens a transaction, which stays open until `commit`."""
    open_transactions.append(transaction.atomic())
    open_transactions[-1].__enter__()


def lock(model, id):
    """Locks a row for the rest of the transaction."""
    apps.get_model("app", model).objects.select_for_update().get(pk=id)


def archive(value):
    """Names a file in the table that TypeORM does not know."""
    return str(apps.get_model("app", "Archived").objects.create(file=value).pk)


def commit():
    open_transactions.pop().__exit__(None, None, None)
