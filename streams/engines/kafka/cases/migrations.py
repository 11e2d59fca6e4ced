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
# The escalator's own schema: `said` is what it says itself and `sent` to its topic; `log` is what it believes: of pages and
# their ends only its own word. `news` is written by the decider. The rest are the tables of streams.engines.outbox.
ESCALATOR: Final = """
drop table deadline;
create table content (content_key text not null, change text not null, primary key (content_key, change));
insert into content select content_key, id from change where content_key <> '';
create schema escalator;
create table escalator.news (number bigint generated always as identity primary key, change text not null, at text not null);
create index news_change on escalator.news (change);
insert into escalator.news (change, at) select change, max(at) from event group by change;
create table escalator.said (number bigint primary key default nextval('event_number_seq'), id text not null unique,
    change text not null, type text not null, at text not null, body text not null, sent boolean not null default false);
create index said_change on escalator.said (change, number);
create index said_unsent on escalator.said (number) where not sent;
create view escalator.log as
    select number as "offset", change as key, type, at, id as event_id, body from escalator.said
    union all
    select number, change, type, at, id, body from event
    where type not in ('dev.twohand.escalation-opened.v1', 'dev.twohand.escalation-resolved.v1')
        and not exists (select 1 from escalator.said where said.id = event.id);
create table escalator.outbox (number bigint generated always as identity primary key, id text not null unique,
    dedup text not null, route text not null, message text not null, instead text not null, due bigint not null,
    attempts integer not null, leased bigint not null, stood_in text not null, state text not null, reason text not null);
create index outbox_due on escalator.outbox (state, due);
create index outbox_dedup on escalator.outbox (dedup, route);
create table escalator.timer (name text collate "C" primary key, key text not null, due bigint not null, body text not null);
create index timer_due on escalator.timer (due);
create index timer_key on escalator.timer (key);
create table escalator.law (digest text primary key, body text not null);
create table escalator.held (rowid bigint generated always as identity, id text primary key, storm text not null,
    escalation text not null, body text not null);
create index held_storm on escalator.held (storm);
create index held_escalation on escalator.held (escalation);
create table escalator.storm (name text primary key, until bigint not null, begun_by text not null);
create table escalator.told (escalation text not null, dedup text not null, route text not null,
    primary key (escalation, dedup, route));
create index told_dedup on escalator.told (dedup, route);
create table escalator.continued (content_key text not null, by text not null, primary key (content_key, by));
create table escalator.mark (name text primary key, value bigint not null);
"""
# `trace` is the W3C trace context of a change's newest proposal, `at` since when a record waits for a broker.
WATCHED: Final = """
alter table change add column trace text not null default '';
alter table outbox add column at timestamptz not null default now();
"""
MIGRATIONS: Final = (FIRST, ESCALATOR, WATCHED)
