"""Sessions as Django makes and ends them."""

from django.contrib.auth.models import User
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.core import signing
from django.test import Client
from django.test.utils import override_settings
from django.utils import timezone

clients = {}


def sign_in(username, secret_key=None):
    """Signs in with the password, and gives the `sessionid` of the cookie."""
    with override_settings(**({"SECRET_KEY": secret_key} if secret_key else {})):
        client = Client()
        assert client.login(username=username, password=f"the password of {username}")
    session_id = client.cookies["sessionid"].value
    clients[session_id] = client
    return session_id


def sign_out(session_id):
    clients[session_id].logout()


def visit():
    """A session of somebody who is not signed in."""
    session = SessionStore()
    session["cart"] = ["a book"] * 50
    session.save()
    return session.session_key


def data_of(session_id):
    return Session.objects.get(pk=session_id).session_data


def replace_data(session_id, data):
    assert Session.objects.filter(pk=session_id).update(session_data=data) == 1


def rewrite(session_id, compress, changes={}):
    """Writes a session's data again by Django's own signing."""
    content = {**Session.objects.get(pk=session_id).get_decoded(), **changes}
    salt = SessionStore().key_salt
    serializer = SessionStore().serializer
    data = signing.dumps(content, salt=salt, serializer=serializer, compress=compress)
    replace_data(session_id, data)
    return data


def resign(session_id, salt):
    """Signs a session's data for another purpose, as the site does for links by email."""
    content = Session.objects.get(pk=session_id).get_decoded()
    replace_data(session_id, signing.dumps(content, salt=salt, serializer=SessionStore().serializer, compress=True))


def expire(session_id, seconds):
    expires = timezone.now() + timezone.timedelta(seconds=seconds)
    Session.objects.filter(pk=session_id).update(expire_date=expires)


def set_password(username, password):
    user = User.objects.get(username=username)
    user.set_password(password)
    user.save()


def set_active(username, active):
    User.objects.filter(username=username).update(is_active=active)
