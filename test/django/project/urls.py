"""The addresses that django-private-files gives to files."""

from django.urls import path

urlpatterns = [path("private_files/<app>/<model>/<field>/<pk>/<name>", lambda request: None, name="file")]
