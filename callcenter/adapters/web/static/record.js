// A prompt recorded in the browser, or uploaded: what is sent is always a WAV file, mono, 16 kHz, 16 bit; the server decodes it again.
import { announce, formHeaders, words } from "/static/words.js";

const RATE = 16000;
const LONGEST_MS = 5 * 60 * 1000;
const panel = document.getElementById("recorder");

if (panel) begin(await words("config"));

function begin(t) {
  const part = (name) => panel.querySelector(`[data-do="${name}"]`);
  const [record, stop, use] = ["record", "stop", "use"].map(part);
  const preview = panel.querySelector("[data-preview]");
  const said = panel.querySelector("[data-say]");
  const upload = panel.querySelector("input[type=file]");
  let recorder = null;
  let made = null;
  panel.hidden = false;

  record.addEventListener("click", async () => {
    let stream;
    try {
      stream = await navigator.mediaDevices.getUserMedia({ audio: { channelCount: 1 } });
    } catch (error) {
      say(t("no_microphone", { why: error.message }), "alarm");
      return;
    }
    const pieces = [];
    const from = Date.now();
    const clock = setInterval(() => {
      said.textContent = t("recording_now", { seconds: Math.round((Date.now() - from) / 1000) });
      if (Date.now() - from > LONGEST_MS) stop.click();
    }, 500);
    recorder = new MediaRecorder(stream);
    recorder.addEventListener("dataavailable", (event) => pieces.push(event.data));
    recorder.addEventListener("stop", async () => {
      clearInterval(clock);
      for (const track of stream.getTracks()) track.stop();
      record.disabled = false;
      stop.disabled = true;
      try {
        made = wav(await samples(new Blob(pieces, { type: recorder.mimeType })));
      } catch (error) {
        say(t("no_microphone", { why: error.message }), "alarm");
        return;
      }
      preview.src = URL.createObjectURL(made);
      preview.hidden = use.hidden = false;
      say(t("recorded"));
    });
    record.disabled = true;
    stop.disabled = false;
    use.hidden = preview.hidden = true;
    recorder.start();
    stop.focus();
  });
  stop.addEventListener("click", () => recorder?.state === "recording" && recorder.stop());
  use.addEventListener("click", () => made && send(made));
  upload.addEventListener("change", () => upload.files[0] && send(upload.files[0]));

  async function send(blob) {
    say(t("sending"));
    use.disabled = upload.disabled = true;
    try {
      const answer = await fetch(panel.dataset.to, { method: "POST", body: blob, headers: { ...formHeaders(), "Content-Type": "audio/wav" } });
      const told = await answer.json();
      if (!answer.ok) throw new Error(told.error ?? told.detail ?? String(answer.status));
      say(t("prompt_kept", { prompt: panel.dataset.prompt, language: panel.dataset.language, seconds: told.seconds }), "good");
      const sound = document.querySelector("section audio");
      sound.src = `${sound.getAttribute("src").split("?")[0]}?${Date.now()}`;
    } catch (error) {
      say(t("refused", { why: error.message }), "alarm");
    } finally {
      use.disabled = upload.disabled = false;
      upload.value = "";
    }
  }

  function say(text, tone = "") {
    said.textContent = text;
    said.className = tone ? "notice" : "";
    said.dataset.tone = tone;
    announce(text);
  }
}

// Whatever the browser recorded, as mono samples of 16 kHz.
async function samples(blob) {
  const context = new OfflineAudioContext(1, 1, RATE);
  const sound = await context.decodeAudioData(await blob.arrayBuffer());
  const offline = new OfflineAudioContext(1, Math.max(1, Math.ceil(sound.duration * RATE)), RATE);
  const source = offline.createBufferSource();
  source.buffer = sound;
  source.connect(offline.destination);
  source.start();
  return (await offline.startRendering()).getChannelData(0);
}

function wav(heard) {
  const file = new DataView(new ArrayBuffer(44 + heard.length * 2));
  const text = (place, word) => [...word].forEach((sign, n) => file.setUint8(place + n, sign.charCodeAt(0)));
  text(0, "RIFF");
  file.setUint32(4, 36 + heard.length * 2, true);
  text(8, "WAVEfmt ");
  file.setUint32(16, 16, true);
  file.setUint16(20, 1, true);
  file.setUint16(22, 1, true);
  file.setUint32(24, RATE, true);
  file.setUint32(28, RATE * 2, true);
  file.setUint16(32, 2, true);
  file.setUint16(34, 16, true);
  text(36, "data");
  file.setUint32(40, heard.length * 2, true);
  heard.forEach((level, n) => file.setInt16(44 + n * 2, Math.round(Math.max(-1, Math.min(1, level)) * 32767), true));
  return new Blob([file.buffer], { type: "audio/wav" });
}
