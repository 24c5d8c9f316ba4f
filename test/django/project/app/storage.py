from django.core.files.storage import FileSystemStorage
from django.utils.deconstruct import deconstructible


@deconstructible
class KeepsNames(FileSystemStorage):
    """A storage as sites write it whose users want their names back: Django's own removes all but letters, digits, `-`, `_` and `.`."""

    def get_valid_name(self, name):
        return name
