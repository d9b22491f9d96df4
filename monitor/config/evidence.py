"""The section `evidence` of the configuration: how what was read is proved, where it is copied, how long it stays."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import AfterValidator, Field, model_validator

from monitor.config.parts import Section, WebAddress


def _bucket(storage: str) -> str:
    if not storage:
        return storage
    if "@" in storage or "?" in storage:
        raise ValueError("holds keys; take them out, and give them in the environment (AWS_ACCESS_KEY_ID …)")
    if not re.fullmatch(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[^/\s]+)*/?", storage):
        raise ValueError("is no place in S3-compatible storage; write s3://bucket or s3://bucket/prefix")
    return storage.rstrip("/")


class EvidenceChoice(Section):
    """How what was read is proved, and how long it is kept."""

    authority: WebAddress | None = None
    """A time-stamping authority (RFC 3161): asked after each pass to sign the head of the chain."""
    roots: Path | None = None
    """PEM file with the root certificates of authorities that are trusted."""
    keep_days: int | None = Field(default=None, ge=30)
    """Age from which `evidence prune` may remove a run that nothing rests on; left out: it has to be told."""
    storage: Annotated[str, AfterValidator(_bucket)] = ""
    """`s3://bucket/prefix`: where runs are copied once they were dealt with. Keys come from the environment alone."""
    endpoint: WebAddress | None = None
    """Of an S3-compatible server; left out: Amazon's."""

    @model_validator(mode="before")
    @classmethod
    def _no_keys(cls, values: Any) -> Any:
        keys = values if isinstance(values, dict) else ()
        named = [key for key in keys if re.search(r"key|secret|token|passw|credential", str(key), re.IGNORECASE)]
        if named:
            raise ValueError(
                f"{named[0]} does not belong into this file; take it out, and give AWS_ACCESS_KEY_ID and "
                "AWS_SECRET_ACCESS_KEY in the environment"
            )
        return values

    @model_validator(mode="after")
    def _an_endpoint_is_of_a_storage(self) -> Self:
        if self.endpoint and not self.storage:
            raise ValueError("an endpoint needs storage: s3://bucket/prefix, or nothing is copied there")
        return self

    @model_validator(mode="after")
    def _a_stamp_can_be_checked(self) -> Self:
        if self.authority and not self.roots:
            raise ValueError("an authority needs roots: the PEM file with its root certificate, or no stamp is checked")
        return self
