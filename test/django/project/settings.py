"""The settings of a site as `startproject` makes it. The tests say which database and which MEDIA_ROOT."""

import json
import os

SECRET_KEY = "a secret of the tests"
INSTALLED_APPS = ["django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions", "app"]
ROOT_URLCONF = "urls"
DATABASES = {"default": json.loads(os.environ["DJANGO_DATABASE"])}
MEDIA_URL = "/media/"
MEDIA_ROOT = os.environ["DJANGO_MEDIA_ROOT"]
DEFAULT_AUTO_FIELD = "django.db.models.AutoField"
USE_TZ = True
TIME_ZONE = "Europe/Vienna"
# The default takes a quarter of a second for each password.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
