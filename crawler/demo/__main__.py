"""The demo as a program: `python -m crawler.demo serve | config | play | expected | recordings | play-real`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from crawler.demo import configs, expected, play, play_real
from crawler.demo.loopback import serve
from crawler.demo.recordings import Recordings, SamplesMissingError
from crawler.demo.web import DemoWeb

SAMPLES = Path("../shared/samples")


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m crawler.demo", description="A small invented web, on loopback.")
    commands = parser.add_subparsers(dest="command", required=True)
    listening = argparse.ArgumentParser(add_help=False)
    listening.add_argument("--port", type=int, default=0, help="port on 127.0.0.1; left out: any that is free")
    listening.add_argument("--ready-file", type=Path, help="file to write the address to when ready")
    samples = argparse.ArgumentParser(add_help=False)
    samples.add_argument("--samples", type=Path, default=SAMPLES, help=f"folder of recordings; left out: {SAMPLES}")
    commands.add_parser("serve", parents=[listening], help="serve the invented web until SIGTERM")
    commands.add_parser("recordings", parents=[listening, samples], help="serve recorded responses until SIGTERM")
    config = commands.add_parser("config", help="write a configuration for one server and one moment")
    config.add_argument("--address", required=True, help="the server, as 127.0.0.1:PORT")
    config.add_argument("--now", type=_moment, help="moment to take as now, such as 2026-11-09T06:00:00Z")
    config.add_argument("--data", type=Path, help="data folder")
    config.add_argument("--out", type=Path, required=True, help="file to write")
    playing = commands.add_parser("play", help="read two weeks of the invented web and report on them")
    playing.add_argument(
        "--data", type=Path, default=play.DATA, help="data folder; what the demo left in it is cleared"
    )
    real = commands.add_parser("play-real", parents=[samples], help="read recorded responses and report on them")
    real.add_argument(
        "--data", type=Path, default=play_real.DATA, help="data folder; what the demo left in it is cleared"
    )
    reading = commands.add_parser("read-recorded", help="one source of play-real, in a process of its own")
    reading.add_argument("source", choices=sorted(play_real.RECORDED))
    reading.add_argument("--config", type=Path, required=True)
    commands.add_parser("expected", help="print what a faultless reading of the invented web gives")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    match options.command:
        case "serve":
            serve(DemoWeb(), options.port, "The demo web", options.ready_file)
        case "recordings":
            return _serve_recordings(options.samples, options.port, options.ready_file)
        case "config":
            configs.write(configs.DEMO_CONFIG, options.address, options.now, options.data, options.out)
        case "play":
            return play.play(options.data)
        case "play-real":
            return play_real.play_real(options.samples, options.data)
        case "read-recorded":
            return play_real.read_recorded(options.source, options.config)
        case "expected":
            sys.stdout.write(expected.printed(DemoWeb()))
    return 0


def _serve_recordings(samples: Path, port: int, ready_file: Path | None) -> int:
    try:
        recordings = Recordings(samples)
    except SamplesMissingError as error:
        sys.stderr.write(f"recordings: {error}\n")
        return 2
    serve(recordings, port, "The recordings", ready_file)
    return 0


if __name__ == "__main__":
    sys.exit(main())
