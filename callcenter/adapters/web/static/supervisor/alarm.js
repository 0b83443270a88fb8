// A sound for what is alarming, for who wants one: two short tones, once when it begins. Off until somebody presses the button.

import { write } from "./board.js";

const KEPT = "callcenter-sound";
let context = null;

function soundIsOn() {
  return context !== null;
}

/** Browsers let no page sound before it was touched: call it from a click. */
async function setSound(on) {
  if (on && context === null) {
    context = new AudioContext();
    await context.resume();
    beep(880, 0, 0.05);
  } else if (!on && context !== null) {
    await context.close();
    context = null;
  }
  localStorage.setItem(KEPT, on ? "on" : "off");
}

const soundWasOn = () => localStorage.getItem(KEPT) === "on";

/** The button that switches it; `says` gives its words. */
export function soundButton(button, says) {
  const show = () => {
    button.ariaPressed = String(soundIsOn());
    write(button.querySelector(".says"), says(soundIsOn() ? "sound_on" : "sound_off"));
  };
  button.addEventListener("click", async () => {
    await setSound(!soundIsOn());
    show();
  });
  if (soundWasOn()) {
    // No page may sound before it was touched: the first touch anywhere brings it back.
    addEventListener("pointerdown", () => soundWasOn() && setSound(true).then(show), { once: true });
  }
  show();
}

export function alarm() {
  if (context === null) return;
  beep(740, 0, 0.18);
  beep(988, 0.22, 0.25);
}

function beep(frequency, after, lasts) {
  const begin = context.currentTime + after;
  const tone = new OscillatorNode(context, { frequency });
  const gain = new GainNode(context, { gain: 0 });
  gain.gain.setValueAtTime(0, begin);
  gain.gain.linearRampToValueAtTime(0.2, begin + 0.01);
  gain.gain.setValueAtTime(0.2, begin + lasts - 0.02);
  gain.gain.linearRampToValueAtTime(0, begin + lasts);
  tone.connect(gain).connect(context.destination);
  tone.start(begin);
  tone.stop(begin + lasts);
}
