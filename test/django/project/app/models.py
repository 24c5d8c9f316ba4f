from django.conf import settings
from django.db import models

from app.storage import KeepsNames


class FileSubmission(models.Model):
    description = models.CharField("description", max_length=200)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    uploaded_file = models.FileField("file", upload_to="uploads", storage=KeepsNames())


class CountedDownload(models.Model):
    description = models.CharField("description", max_length=200)
    downloadable = models.FileField("file", upload_to="downloadables")
    downloads = models.PositiveIntegerField("downloads total", default=0)


class Attachment(models.Model):
    """A file that may be missing, in both of the ways that a database can say it."""

    file = models.FileField("file", upload_to="uploads/%Y/%m", max_length=100, null=True, blank=True)


class Profile(models.Model):
    """Its rows share a file until they get one of their own."""

    id = models.BigAutoField(primary_key=True)
    avatar = models.FileField("avatar", upload_to="avatars", default="defaults/avatar.png")


class Archived(models.Model):
    """A table that TypeORM does not know."""

    file = models.FileField("file", upload_to="uploads")
