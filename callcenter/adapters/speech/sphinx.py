"""The built-in recogniser: pocketsphinx, in processes of its own. It knows American English and chooses among a few phrases."""

import asyncio
import contextlib
import json
import sys
from collections.abc import AsyncIterator
from datetime import timedelta

from callcenter.adapters.speech.utterance import utterance
from callcenter.domain.ivr.grammar import Grammar, meaning
from callcenter.services.ports import NONE_OF_THEM, Heard, RecogniserError

LANGUAGES = frozenset({"en"})
WORKER = "callcenter.adapters.speech.sphinx_worker"
READY_WITHIN = 10.0
DECODED_WITHIN = 3.0
"""Seconds. A worker that takes longer is ended, and the next question gets a new one."""


class Worker:
    """One decoding process: started when it is needed, asked one thing at a time."""

    def __init__(self) -> None:
        self._process: asyncio.subprocess.Process | None = None

    @property
    def pid(self) -> int | None:
        """None: it does not run."""
        return self._process.pid if self._process is not None and self._process.returncode is None else None

    async def start(self) -> None:
        """Make it ready to be asked, unless it is. Raises RecogniserError."""
        if self.pid is not None:
            return
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", WORKER), stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
        )
        await self._answer(READY_WITHIN)

    async def ask(self, audio: bytes, rate: int, grammar: Grammar) -> tuple[str, float]:
        """What was said and how sure that is; empty: none of the phrases. Raises RecogniserError. Cancelled, it ends the process."""
        await self.start()
        assert self._process is not None
        assert self._process.stdin is not None
        question = {"rate": rate, "phrases": list(grammar.phrases), "most": grammar.most, "bytes": len(audio)}
        self._process.stdin.write(json.dumps(question).encode() + b"\n" + audio)
        reply = await self._answer(DECODED_WITHIN)
        if "error" in reply:
            raise RecogniserError(f"pocketsphinx: {reply['error']}")
        phrase, confidence = reply.get("phrase"), reply.get("confidence")
        if not isinstance(phrase, str) or not isinstance(confidence, int | float):
            raise RecogniserError("pocketsphinx answered nonsense")
        return phrase, float(confidence)

    async def _answer(self, within: float) -> dict[str, object]:
        """The next line it says. Whatever goes wrong ends the process, so that no answer is ever taken for that to another question."""
        process = self._process
        assert process is not None
        assert process.stdout is not None
        try:
            async with asyncio.timeout(within):
                line = await process.stdout.readline()
            reply = json.loads(line) if line else None
            if not isinstance(reply, dict):
                raise RecogniserError("the pocketsphinx process has ended")
            return reply
        except (TimeoutError, ValueError):
            await self.stop()
            raise RecogniserError(f"pocketsphinx did not answer within {within:.0f} s") from None
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """End the process."""
        process, self._process = self._process, None
        if process is not None and process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await asyncio.shield(process.wait())


class PocketsphinxRecogniser:
    """Implements ``services.ports.Recogniser``: waits for the end of the utterance, then decodes it as a whole."""

    rate = 8000

    def __init__(self, processes: int = 1) -> None:
        """So many utterances are decoded side by side; further ones wait, some tens of milliseconds each."""
        self.workers = [Worker() for _ in range(processes)]
        self._free: asyncio.Queue[Worker] = asyncio.Queue()
        for worker in self.workers:
            self._free.put_nowait(worker)

    async def hear(self, audio: AsyncIterator[bytes], grammar: Grammar, no_speech: timedelta, limit: timedelta) -> Heard | None:
        if grammar.language not in LANGUAGES:
            raise RecogniserError(f"pocketsphinx does not know language '{grammar.language}'")
        said = await utterance(audio, self.rate, no_speech, limit)
        if not said:
            return None
        phrase, confidence = await self.decode(said, grammar)
        value = meaning(grammar, phrase)
        return Heard(phrase, value, confidence) if value else NONE_OF_THEM

    async def decode(self, said: bytes, grammar: Grammar) -> tuple[str, float]:
        """What the utterance is, of the grammar's phrases (perhaps the beginning of one), and how sure that is. Raises RecogniserError."""
        worker = await self._free.get()
        try:
            return await worker.ask(said, self.rate, grammar)
        except OSError as error:
            await worker.stop()
            raise RecogniserError(f"pocketsphinx: {error}") from None
        finally:
            self._free.put_nowait(worker)

    async def start(self) -> None:
        """Load the acoustic model before the first caller speaks. Raises RecogniserError."""
        await asyncio.gather(*(self._make_ready() for _ in self.workers))

    async def _make_ready(self) -> None:
        worker = await self._free.get()  # else it could be asked something while it still says that it is ready
        try:
            await worker.start()
        finally:
            self._free.put_nowait(worker)

    async def close(self) -> None:
        await asyncio.gather(*(worker.stop() for worker in self.workers))
