# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Delivery of log files and hourly digests (aws-facts section 6): ``POST /lab/deliver {"hours": n}``.

What happened since the last delivery is written now, sorted into the last ``n`` hours by the lab's clock, with one
signed digest per hour for every account and region that ever called something. The oldest of these digests takes
everything since the last one before it. ``{"files": false}`` writes nothing and only lets every account and region
say that files have come, which is what a large organization needs. With ``{"backfill": true}`` the digests miss the new
log files, which a backfill digest of the same hour then lists (aws-facts 6.1).

An event goes where the trail pointed five minutes after it (aws-facts 4.4), so a conversion neither moves old files
nor loses young events. What a broken bucket refuses is kept and tried again for 30 days.
"""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from lab.kernel.call import LabError
from lab.kernel.world import World
from lab.services.cloudtrail import digests
from lab.services.cloudtrail.access import reached_at, sends, stands_in
from lab.services.cloudtrail.admission import (
    base_of,
    may_encrypt,
    may_write,
    put_object,
    read_acl,
    stream_error,
    topic_error,
)
from lab.services.cloudtrail.event_history import GLOBAL_SERVICES, events_of
from lab.services.cloudtrail.records import Event, iso, record
from lab.services.cloudtrail.selectors import logs_management_event
from lab.services.cloudtrail.trails import Chain, Settings, Trail
from lab.services.organizations.api import is_member
from lab.services.s3 import find_bucket

DELAY = timedelta(minutes=5)
RETRIES = timedelta(days=30)
HOUR = timedelta(hours=1)
SECOND = timedelta(seconds=1)
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


@dataclass
class Report:
    """What a delivery did; ``refused`` names trail, account, region and error of what could not be written."""

    log_files: int = 0
    digest_files: int = 0
    refused: list[dict[str, str]] = field(default_factory=list)


def deliver(world: World, hours: float = 1, files: bool = True, backfill: bool = False) -> dict[str, Any]:
    """Deliver for every trail. Raises ValueError for less than an hour."""
    if hours < 1:
        raise ValueError(f"Delivery goes by hours, at least 1; found {hours}.")
    report = Report()
    for trail in list(world.trails.by_arn.values()):
        take_over(world, trail)
        if files:
            deliver_trail(world, trail, int(hours), backfill, report)
        else:
            trail.pending.clear()
            trail.marked_delivered = world.now() if trail.settings.logging else trail.marked_delivered
    return vars(report)


# --- which events -----------------------------------------------------------------------------------


def take_over(world: World, trail: Trail) -> None:
    """Sort the journal's new entries into what waits for delivery."""
    entries = world.journal.history
    for entry in entries[trail.seen :]:
        for event in events_of(entry):
            if logs(world, trail, event):
                trail.pending.setdefault((event.account, entry.region), []).append(event)
    trail.seen = len(entries)


def logs(world: World, trail: Trail, event: Event, time: datetime | None = None) -> bool:
    """Whether the trail logged an event, by its settings at the event's time, or at another."""
    entry = event.entry
    settings = trail.settings_at(time or entry.time)
    if settings is None or not settings.logging or not covers(world, trail, settings, event):
        return False
    is_global = entry.service in GLOBAL_SERVICES
    if is_global and not settings.include_global_service_events:
        return False
    return logs_management_event(settings, event.source, event.name, event.reads, entry.principal)


def covers(world: World, trail: Trail, settings: Settings, event: Event) -> bool:
    """Whether the trail, or a shadow of it, was in the event's account and region."""
    if event.entry.region != trail.region and not settings.is_multi_region_trail:
        return False
    if event.account == trail.account:
        return True
    if not settings.is_organization_trail or not is_member(world, event.account):
        return False
    if not sends(world, trail, event.account):
        return False
    reached = reached_at(world, trail, event.account)
    return reached is None or reached <= event.entry.time


def destination(trail: Trail, account: str, event_time: datetime, now: datetime) -> Settings:
    """The settings that say where an event goes: those of five minutes later, if the account is still in them."""
    at_event = trail.settings_at(event_time)
    later = trail.settings_at(min(event_time + DELAY, now))
    assert at_event is not None
    assert later is not None
    return later if later.is_organization_trail or account == trail.account else at_event


# --- what is written --------------------------------------------------------------------------------


def deliver_trail(world: World, trail: Trail, hours: int, backfill: bool, report: Report) -> None:
    now = world.now()
    if bucket := find_bucket(trail.settings.s3_bucket_name):
        read_acl(world, bucket)
    for place in sorted({*trail.pending, *trail.chains}):
        chain = trail.chains.setdefault(place, Chain())
        waiting = [event for event in trail.pending.pop(place, []) if event.entry.time > now - RETRIES]
        reached = reached_at(world, trail, place[0]) or now
        start = chain.digest_end or max(reached, now - hours * HOUR)
        kept: list[Event] = []
        for begin, end in windows(start, now, hours):
            due = [event for event in waiting if event.entry.time <= end]
            waiting = [event for event in waiting if event.entry.time > end]
            kept += write_logs(world, trail, place, chain, due, min(end, now), report)
            missed = chain.undigested if backfill else []
            chain.undigested = [] if backfill else chain.undigested
            write_digest(world, trail, place, chain, (begin, end), report)
            if missed:
                chain.backfill = chain.backfill or Chain()
                chain.backfill.undigested = missed
                write_digest(world, trail, place, chain.backfill, (begin, end), report, is_backfill=True)
        if kept:
            trail.pending[place] = kept
        elif not stands_in(world, trail, *place):
            del trail.chains[place]


def windows(start: datetime, now: datetime, hours: int) -> Iterator[tuple[datetime, datetime]]:
    """The hours up to now in whole seconds, at least one; the first begins at ``start``, where the last digest ended.

    The last one ends in the second after now, or after its own beginning, so that all of the past is in it.
    """
    begin = start.replace(microsecond=0)
    last = max(now, begin).replace(microsecond=0) + SECOND
    for back in range(hours - 1, -1, -1):
        end = last - back * HOUR
        if end > begin:
            yield begin, end
            begin = end


def write_logs(
    world: World,
    trail: Trail,
    place: tuple[str, str],
    chain: Chain,
    events: list[Event],
    time: datetime,
    report: Report,
) -> list[Event]:
    """Write one log file per destination and note it for the digest; answers the events that were refused."""
    refused: list[Event] = []
    now = world.now()
    for settings, group in groupby(events, lambda event: destination(trail, place[0], event.entry.time, now)):
        batch = list(group)
        body = json.dumps({"Records": [record(event) for event in batch]}, separators=(",", ":")).encode()
        key = log_key(world, trail, settings, place, time, body)
        chain.attempt_time = now
        chain.log_error = write(world, trail, settings, key, body)
        if chain.log_error:
            refused.extend(batch)
            report.refused.append(refusal(trail, place, chain.log_error))
            continue
        chain.log_time = now
        if settings.cloud_watch_logs_log_group_arn:
            chain.stream_error = stream_error(world, trail.arn, settings, *place)
            chain.stream_time = chain.stream_time if chain.stream_error else now
        topic = settings.sns_topic_arn
        chain.notification_error = topic_error(world, trail.arn, topic) if topic else ""
        report.log_files += 1
        chain.undigested.append(
            {
                "s3Bucket": settings.s3_bucket_name,
                "s3Object": key,
                "hashValue": hashlib.sha256(body).hexdigest(),
                "hashAlgorithm": "SHA-256",
                "newestEventTime": iso(batch[-1].entry.time),
                "oldestEventTime": iso(batch[0].entry.time),
            }
        )
    return refused


def write_digest(
    world: World,
    trail: Trail,
    place: tuple[str, str],
    chain: Chain,
    window: tuple[datetime, datetime],
    report: Report,
    is_backfill: bool = False,
) -> None:
    """Write the signed digest of one hour to where the trail points now; without one, the chain breaks."""
    account, region = place
    settings, files = trail.settings, chain.undigested
    if not (settings.log_file_validation_enabled and settings.logging and stands_in(world, trail, account, region)):
        chain.digest_end, chain.digest_key, chain.undigested = window[1], "", []
        return
    key = digest_key(world, trail, settings, place, window[1], "_backfill" if is_backfill else "")
    previous = bool(chain.digest_key)
    digest = {
        "awsAccountId": account,
        "digestStartTime": iso(window[0]),
        "digestEndTime": iso(window[1]),
        "digestS3Bucket": settings.s3_bucket_name,
        "digestS3Object": key,
        "digestPublicKeyFingerprint": digests.fingerprint(region),
        "digestSignatureAlgorithm": digests.ALGORITHM,
        "newestEventTime": files[-1]["newestEventTime"] if files else None,
        "oldestEventTime": files[0]["oldestEventTime"] if files else None,
        "previousDigestS3Bucket": chain.digest_bucket if previous else None,
        "previousDigestS3Object": chain.digest_key if previous else None,
        "previousDigestHashValue": chain.digest_hash if previous else None,
        "previousDigestHashAlgorithm": "SHA-256" if previous else None,
        "previousDigestSignature": chain.digest_signature if previous else None,
        "logFiles": files,
    }
    body = digests.encode(digest)
    signature = digests.sign(region, digest, body)
    metadata = {"signature": signature, "signature-algorithm": digests.ALGORITHM}
    if is_backfill:
        metadata["backfill-generation-timestamp"] = iso(world.now())
    chain.digest_error = write(world, trail, settings, key, body, metadata)
    if chain.digest_error:
        report.refused.append(refusal(trail, place, chain.digest_error))
        return
    report.digest_files += 1
    chain.digest_time, chain.digest_end, chain.undigested = world.now(), window[1], []
    chain.digest_bucket, chain.digest_key = settings.s3_bucket_name, key
    chain.digest_hash, chain.digest_signature = hashlib.sha256(body).hexdigest(), signature


def write(
    world: World, trail: Trail, settings: Settings, key: str, body: bytes, metadata: dict[str, str] | None = None
) -> str:
    """Put a gzipped file into the bucket; answers "" or the error that GetTrailStatus then tells."""
    bucket = find_bucket(settings.s3_bucket_name)
    if bucket is None:
        return "NoSuchBucket"
    if bucket.payer == "Requester" or not may_write(world, trail.arn, settings, bucket, key):  # aws-facts 3.10
        return "AccessDenied"
    try:
        if settings.kms_key_id and not may_encrypt(world, trail.arn, settings, bucket):
            return "AccessDenied"
    except LabError as error:
        return {"KmsKeyDisabledException": "KMS.DisabledException"}.get(error.code, "KMS.NotFoundException")
    put_object(bucket, key, gzip.compress(body, mtime=0), metadata, settings.kms_key_id)
    return ""


def refusal(trail: Trail, place: tuple[str, str], error: str) -> dict[str, str]:
    return {"trail": trail.arn, "account": place[0], "region": place[1], "error": error}


# --- keys -------------------------------------------------------------------------------------------


def log_key(world: World, trail: Trail, settings: Settings, place: tuple[str, str], time: datetime, body: bytes) -> str:
    """The key of a log file; its 16 letters come from the content, so that it is never overwritten by another."""
    account, region = place
    number = int(hashlib.sha256(body + trail.arn.encode()).hexdigest(), 16)
    unique = "".join(LETTERS[number // 62**position % 62] for position in range(16))
    base = base_of(world, settings, settings.is_organization_trail)
    return (
        f"{base}{account}/CloudTrail/{region}/{time:%Y/%m/%d}/"
        f"{account}_CloudTrail_{region}_{time:%Y%m%dT%H%M}Z_{unique}.json.gz"
    )


def digest_key(
    world: World, trail: Trail, settings: Settings, place: tuple[str, str], end: datetime, suffix: str
) -> str:
    account, region = place
    base = base_of(world, settings, settings.is_organization_trail)
    return (
        f"{base}{account}/CloudTrail-Digest/{region}/{end:%Y/%m/%d}/"
        f"{account}_CloudTrail-Digest_{region}_{trail.name}_{trail.region}_{end:%Y%m%dT%H%M%SZ}{suffix}.json.gz"
    )
