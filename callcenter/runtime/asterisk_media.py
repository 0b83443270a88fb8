"""What a node's Asterisk plays, put where it looks: prompts, music, and the sounds it ships with."""

import os
import shutil
import subprocess
from collections.abc import Collection, Iterable
from pathlib import Path

from callcenter.runtime.asterisk_root import Installation
from callcenter.runtime.audio import RATE, SUFFIXES, AudioError, Samples, read_wav, resampled, tone_samples, write_narrow
from callcenter.runtime.catalogue import DEFAULT_MUSIC, Prompt, Tones, tones
from callcenter.runtime.prompt_files import prepared
from callcenter.runtime.prompts import PromptError
from callcenter.runtime.settings import Settings
from callcenter.runtime.settings_model import MusicSection, NodeSection

SHIPPED_WITH_ASTERISK = Path("/usr/share/asterisk")
SOFT_TONES = Tones((350.0, 440.0), 4.0)
"""The music of last resort."""


def provide(settings: Settings, folder: Path, installation: Installation) -> None:
    """Fill ``share`` of the node's folder. Raises PromptError."""
    share = folder / "share"
    provide_prompts(settings, folder)
    _link(SHIPPED_WITH_ASTERISK / "sounds" / "en", share / "sounds" / "en")
    for name in ("rest-api", "documentation"):
        _link(SHIPPED_WITH_ASTERISK / name, share / name)
    _provide_music(settings, share / "moh", installation)


def provide_prompts(settings: Settings, folder: Path) -> None:
    """Every prompt of the catalogue, where the node's Asterisk looks. Raises PromptError."""
    share = folder / "share"
    sounds = share / "sounds" / "callcenter"
    for language, prompts in settings.catalogue.renderings.items():
        place = _folder_of(settings, language, sounds)
        wanted = _put_prompts(settings, prompts.values(), place)
        for stale in place.iterdir():
            if stale.is_file() and stale.name not in wanted:
                stale.unlink()
    for stale in sounds.iterdir():
        if stale.is_dir() and (stale.name == settings.catalogue.default or stale.name not in settings.catalogue.renderings):
            shutil.rmtree(stale)


def add_prompts(settings: Settings, folder: Path, ids: Collection[str]) -> None:
    """These beside those that are there, in all languages, while the engine that looks after them may be away. Raises PromptError."""
    sounds = folder / "share" / "sounds" / "callcenter"
    if sounds.is_dir():  # else it is filled when it is made
        for language, prompts in settings.catalogue.renderings.items():
            _put_prompts(settings, [prompts[name] for name in ids if name in prompts], _folder_of(settings, language, sounds))


def _folder_of(settings: Settings, language: str, sounds: Path) -> Path:
    return sounds if language == settings.catalogue.default else sounds / language


def _put_prompts(settings: Settings, prompts: Iterable[Prompt], place: Path) -> Collection[str]:
    """One language's, and the names of their files; who hears one that is replaced goes on hearing the old one."""
    place.mkdir(parents=True, exist_ok=True)
    wanted: set[str] = set()
    for prompt, wav in prepared(settings, prompts).items():
        for suffix in SUFFIXES:
            _place(wav.with_suffix(suffix), place / f"{prompt}{suffix}")
            wanted.add(f"{prompt}{suffix}")
    return wanted


def _provide_music(settings: Settings, moh: Path, installation: Installation) -> None:
    moh.mkdir(exist_ok=True)
    own = {music.name: music for music in settings.music}
    for name, music in own.items():
        _provide_class(settings, moh / name, music)
    if DEFAULT_MUSIC not in own:
        there = (installation.root or Path("/")) / str(SHIPPED_WITH_ASTERISK / "moh").lstrip("/")
        if any(there.glob("*.wav")):
            _link(SHIPPED_WITH_ASTERISK / "moh", moh / DEFAULT_MUSIC)
        else:
            _fresh(moh / DEFAULT_MUSIC)
            write_narrow(moh / DEFAULT_MUSIC / "music.wav", tone_samples(SOFT_TONES))
    for stale in moh.iterdir():
        if stale.name not in {*own, DEFAULT_MUSIC}:
            stale.unlink() if stale.is_symlink() else shutil.rmtree(stale)


def _provide_class(settings: Settings, place: Path, music: MusicSection) -> None:
    kept = settings.data / "prompts" / "music" / music.name
    kept.mkdir(parents=True, exist_ok=True)
    wanted: dict[str, Path] = {}
    if music.source is not None:
        wav = kept / f"{music.source.replace(':', '-')}.wav"
        if not wav.exists():
            write_narrow(wav, tone_samples(tones(music.source)))
        wanted["music"] = wav
    elif music.folder is not None:
        folder = settings.beside_the_file(music.folder)
        for number, recorded in enumerate(sorted(folder.glob("*.wav"))):
            wav = kept / f"{number:03d}-{recorded.stat().st_mtime_ns}.wav"
            if not wav.exists():
                write_narrow(wav, _music(recorded))
            wanted[f"{number:03d}"] = wav
        if not wanted:
            raise PromptError(f"music '{music.name}': {folder} holds no WAV file")
    _fresh(place)
    for stem, wav in wanted.items():
        for suffix in (".wav", ".ulaw", ".alaw"):
            _place(wav.with_suffix(suffix), place / f"{stem}{suffix}")


def _music(recorded: Path) -> Samples:
    """At 8 kHz. The administrator's own files, of any length."""
    try:
        with recorded.open("rb") as file:
            samples, rate = read_wav(file)
    except (AudioError, OSError) as error:
        raise PromptError(f"{recorded} {error}") from None
    return resampled(samples, rate, RATE)


def _fresh(place: Path) -> None:
    """A folder of our own where a link may have been."""
    if place.is_symlink():
        place.unlink()
    place.mkdir(exist_ok=True)


def _place(source: Path, target: Path) -> None:
    """The same file under another name where the file system allows it, else a copy. A file being played stays whole."""
    if target.exists() and os.path.samefile(source, target):
        return
    temporary = target.with_name(f".{target.name}.new")
    temporary.unlink(missing_ok=True)
    try:
        os.link(source, temporary)
    except OSError:
        shutil.copyfile(source, temporary)
        temporary.chmod(0o644)
    os.replace(temporary, target)


def _link(source: Path, target: Path) -> None:
    """Point to a place that Asterisk sees, whether or not we do."""
    if target.is_symlink():
        if target.readlink() == source:
            return
        target.unlink()
    elif target.is_dir():
        shutil.rmtree(target)
    target.symlink_to(source)


def provide_certificate(settings: Settings, node: NodeSection, folder: Path) -> None:
    """Put the certificate for SIP over TLS in place; without one in the settings, a self-signed one is made."""
    place = folder / "etc" / "tls"
    place.mkdir(exist_ok=True, mode=0o750)
    certificate, key = place / "certificate.pem", place / "private-key.pem"
    if node.tls_certificate is not None and node.tls_private_key is not None:
        shutil.copyfile(settings.beside_the_file(node.tls_certificate), certificate)
        shutil.copyfile(settings.beside_the_file(node.tls_private_key), key)
    elif not certificate.exists():
        made = subprocess.run(
            [
                *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "3650"),
                *("-subj", f"/CN={node.external_address or node.name}", "-keyout", str(key), "-out", str(certificate)),
            ],
            capture_output=True,
            text=True,
            check=False,
        )
        if made.returncode != 0:
            raise PromptError(f"node {node.name}: openssl could not make a certificate: {made.stderr.strip().splitlines()[-1:]}")
    group = (folder / "etc").stat().st_gid
    for file in (place, certificate, key):
        os.chown(file, -1, group)
        file.chmod(0o750 if file is place else 0o640)
