// The test before the shift: is the microphone heard, do both directions to Asterisk carry sound, does she hear the loudspeaker?
import { Listener } from "./devices.js";
import { read } from "./quality.js";

const TONE_HZ = 1000;
const STANDS_OUT_DB = 20;
const LOUD_ENOUGH = 0.01;
const ENOUGH_PACKETS = 75; // one and a half seconds, to tell loss and jitter from

// Until she is heard, or the time is up: {heard, level}. tell(level) is called all the time, for the meter.
export async function testMicrophone(devices, tell, withinMs = 8000) {
  const listener = new Listener(await devices.microphone());
  let loudest = 0;
  try {
    await until(() => {
      const level = listener.level();
      loudest = Math.max(loudest, level);
      tell(level);
      return loudest > LOUD_ENOUGH;
    }, withinMs);
  } finally {
    listener.close();
    devices.release();
  }
  return { heard: loudest > LOUD_ENOUGH, level: loudest };
}

// A tone goes to Asterisk's echo and comes back: {heard, out_ms, loss, rtt_ms, jitter_ms}.
export async function testPath(softphone, withinMs = 8000) {
  const context = new AudioContext();
  const tone = context.createOscillator();
  const out = context.createMediaStreamDestination();
  tone.frequency.value = TONE_HZ;
  tone.connect(out);
  tone.start();
  let called = null;
  try {
    called = await softphone.call("echo-test", out.stream);
    const listener = new Listener(called.remote, context);
    const heard = await until(() => listener.above(TONE_HZ) > STANDS_OUT_DB && listener.level() > LOUD_ENOUGH, withinMs);
    let measured = null;
    const enough = async () => {
      measured = read(await called.session.connection.getStats());
      return measured.received >= ENOUGH_PACKETS;
    };
    await until(enough, 2 * 20 * ENOUGH_PACKETS);
    const all = measured.received + measured.lost;
    return { heard, loss: all ? measured.lost / all : 1, rtt_ms: measured.rtt_ms, jitter_ms: measured.jitter_ms, received: measured.received, sent: measured.sent };
  } finally {
    if (called && !called.session.isEnded()) called.session.terminate();
    tone.stop();
    await context.close().catch(() => {});
  }
}

// She is asked whether she heard it.
export async function testLoudspeaker(devices, forMs = 1200) {
  const context = new AudioContext();
  const tone = context.createOscillator();
  const out = context.createMediaStreamDestination();
  const audio = new Audio();
  tone.frequency.value = 660;
  tone.connect(out);
  tone.start();
  audio.srcObject = out.stream;
  if (audio.setSinkId && devices.output) await audio.setSinkId(devices.output);
  await audio.play();
  await new Promise((resolve) => setTimeout(resolve, forMs));
  audio.pause();
  audio.srcObject = null;
  await context.close();
}

function until(holds, withinMs) {
  return new Promise((resolve) => {
    const began = performance.now();
    const look = async () => {
      const so = await holds();
      if (so || performance.now() - began > withinMs) resolve(so);
      else setTimeout(look, 100);
    };
    look();
  });
}
