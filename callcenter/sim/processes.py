"""Processes on the loop in virtual time, which can be killed, frozen and thawed between any two of their steps.

A process is everything that runs in one ``contextvars`` context: its tasks, its timers, its threads. Killed, none of
its callbacks ever runs again, not even a ``finally``; frozen, they wait and come in order afterwards, while the rest of
the world goes on. The services need not know: they use asyncio as ever.
"""

import asyncio
import contextvars
from collections.abc import Callable, Coroutine, Generator
from enum import StrEnum
from functools import partial
from typing import Any, TypeVar

from callcenter.sim.virtual_loop import VirtualLoop

T = TypeVar("T")

_process: contextvars.ContextVar["Process | None"] = contextvars.ContextVar("process", default=None)


class Killed(BaseException):
    """Raised inside a process to end it at this very point."""


class Life(StrEnum):
    RUNNING = "running"
    FROZEN = "frozen"
    DEAD = "dead"


class Process:
    """One simulated process."""

    def __init__(self, name: str, work_takes: Callable[[], float] = lambda: 0.001) -> None:
        """``work_takes``: seconds for what is done in one of its threads."""
        self.name = name
        self.life = Life.RUNNING
        self.work_takes = work_takes
        self.tasks: set[asyncio.Task[Any]] = set()
        """Kept even when dead: a task that is forgotten would run its ``finally`` after all."""
        self.steps = 0
        self.kill_at_step = 0
        """It is killed before this step; 0: not by counting."""
        self.on_death: Callable[[], None] = lambda: None
        self._waiting: list[_Step] = []

    @property
    def running(self) -> bool:
        return self.life is Life.RUNNING

    def spawn(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Run ``work`` as a task of this process."""
        context = contextvars.copy_context()
        context.run(_process.set, self)
        return asyncio.get_running_loop().create_task(work, context=context)

    def kill(self) -> None:
        """As by ``kill -9``; what it holds is closed by ``on_death``."""
        if self.life is not Life.DEAD:
            self.life = Life.DEAD
            self._waiting.clear()
            self.on_death()

    def freeze(self) -> None:
        """As by ``kill -STOP``."""
        if self.life is Life.RUNNING:
            self.life = Life.FROZEN

    def thaw(self) -> None:
        if self.life is not Life.FROZEN:
            return
        self.life = Life.RUNNING
        waiting, self._waiting = self._waiting, []
        for step in waiting:
            step.again()

    def takes(self, step: "_Step") -> bool:
        """Whether the step may run now."""
        if self.life is Life.FROZEN:
            self._waiting.append(step)
            return False
        self.steps += 1
        if self.kill_at_step and self.steps >= self.kill_at_step:
            self.kill()
        return self.life is Life.RUNNING


class _Step:
    """One callback of a process on its way through the loop."""

    __slots__ = ("args", "callback", "context", "handle", "process")

    def __init__(
        self, process: Process, callback: Callable[..., object], args: tuple[Any, ...], context: contextvars.Context | None
    ) -> None:
        self.process, self.callback, self.args = process, callback, args
        self.context = context or contextvars.copy_context()
        self.handle: asyncio.Handle | None = None

    def __call__(self) -> None:
        if self.process.takes(self):
            self.callback(*self.args)

    def again(self) -> None:
        if self.handle is None or not self.handle.cancelled():
            self.handle = asyncio.get_running_loop().call_soon(self, context=self.context)


class ProcessLoop(VirtualLoop):
    """A virtual loop that asks the process of each callback whether it may run. Threads are work that takes virtual time."""

    def __init__(self) -> None:
        super().__init__()
        self.set_task_factory(_task_of_its_process)

    def call_soon(  # type: ignore[override] # the type parameters of typeshed say no more
        self, callback: Callable[..., object], *args: Any, context: contextvars.Context | None = None
    ) -> asyncio.Handle:
        step = _step(callback, args, context)
        if step is None:
            return super().call_soon(callback, *args, context=context)
        step.handle = super().call_soon(step, context=step.context)
        return step.handle

    def call_at(  # type: ignore[override]
        self, when: float, callback: Callable[..., object], *args: Any, context: contextvars.Context | None = None
    ) -> asyncio.TimerHandle:
        step = _step(callback, args, context)
        if step is None:
            return super().call_at(when, callback, *args, context=context)
        handle = super().call_at(when, step, context=step.context)
        step.handle = handle
        return handle

    def run_in_executor(self, executor: object, func: Callable[..., T], *args: Any) -> asyncio.Future[T]:  # type: ignore[override]
        """In the loop itself, when its time has come: the work of a process that was killed meanwhile is never done."""
        future: asyncio.Future[T] = self.create_future()
        process = _process.get()
        self.call_later(process.work_takes() if process else 0.0, self._work, future, partial(func, *args))
        return future

    @staticmethod
    def _work(future: asyncio.Future[T], func: Callable[[], T]) -> None:
        if future.cancelled():
            return
        try:
            future.set_result(func())
        except Exception as error:
            future.set_exception(error)


def _step(callback: Callable[..., object], args: tuple[Any, ...], context: contextvars.Context | None) -> _Step | None:
    if isinstance(callback, _Step):
        return None
    process = _process.get() if context is None else context.get(_process)
    return None if process is None else _Step(process, callback, args, context)


def _task_of_its_process(
    loop: asyncio.AbstractEventLoop,
    work: Coroutine[Any, Any, Any] | Generator[Any, None, Any],
    context: contextvars.Context | None = None,
    **more: Any,
) -> asyncio.Task[Any]:
    task = asyncio.Task(work, loop=loop, context=context, **more)
    process = _process.get() if context is None else context.get(_process)
    if process is not None:
        process.tasks.add(task)
        task.add_done_callback(process.tasks.discard)
    return task
