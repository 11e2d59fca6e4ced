"""The tables of the case store, as the versions that brought them. What was released is never edited: a new one follows."""

from typing import Final

FIRST: Final = """
create table event (number bigint generated always as identity primary key, id text not null unique, change text not null,
    type text not null, at text not null, place text not null, body text not null, signer text not null,
    presence boolean not null, unique (change, number));
create table change (id text primary key, source text not null default '', content_key text not null default '',
    outcome text not null default '', digest text not null default '', decision text not null default '');
create table outbox (number bigint generated always as identity primary key, change text not null, topic text not null,
    key bytea, value bytea, headers bytea not null);
create index outbox_change on outbox (change, number);
create table deadline (change text primary key, content_key text not null, due text not null);
create index deadline_due on deadline (due);
create table letter (id text primary key, change text not null, said text not null, settled text not null);
create index letter_open on letter (change) where settled = '';
"""
MIGRATIONS: Final = (FIRST,)
