// Microphone and loudspeaker: which ones, and how loud. The choice is this browser's; it is kept here and nowhere else.

const KEPT = "callcenter.audio";

export class Devices extends EventTarget {
  constructor() {
    super();
    const kept = read();
    this.input = kept.input;
    this.output = kept.output;
    this.processing = kept.processing !== false;
    this.stream = null;
    if (navigator.mediaDevices) {
      navigator.mediaDevices.addEventListener("devicechange", () => this.dispatchEvent(new Event("changed")));
    }
  }

  // The stream of the chosen microphone; of another one when that is gone.
  async microphone() {
    const on = this.processing; // off for headsets that do it themselves
    const wanted = { echoCancellation: on, noiseSuppression: on, autoGainControl: on };
    const chosen = this.input ? { ...wanted, deviceId: { exact: this.input } } : wanted;
    this.release();
    try {
      this.stream = await navigator.mediaDevices.getUserMedia({ audio: chosen });
    } catch (error) {
      if (!this.input || error.name === "NotAllowedError") throw error;
      this.stream = await navigator.mediaDevices.getUserMedia({ audio: wanted });
    }
    return this.stream;
  }

  release() {
    if (this.stream) for (const track of this.stream.getTracks()) track.stop();
    this.stream = null;
  }

  // [{id, label, kind: "audioinput" | "audiooutput"}]; labels are empty until the microphone was allowed once.
  async list() {
    const all = await navigator.mediaDevices.enumerateDevices();
    return all.filter((one) => one.kind.startsWith("audio")).map(({ deviceId, label, kind }) => ({ id: deviceId, label, kind }));
  }

  choose(kind, id) {
    this[kind] = id;
    try {
      localStorage.setItem(KEPT, JSON.stringify({ input: this.input, output: this.output, processing: this.processing }));
    } catch {
      // A browser that keeps nothing asks again next time.
    }
    this.dispatchEvent(new Event(kind));
  }
}

function read() {
  try {
    const kept = JSON.parse(localStorage.getItem(KEPT) || "{}");
    return { input: text(kept.input), output: text(kept.output), processing: kept.processing };
  } catch {
    return {};
  }
}

function text(value) {
  return typeof value === "string" && value ? value : undefined;
}

// How loud a stream is, 0 to 1, and whether one tone stands out of it.
export class Listener {
  constructor(stream, context = new AudioContext()) {
    this.context = context;
    this.analyser = context.createAnalyser();
    this.analyser.fftSize = 4096;
    this.analyser.smoothingTimeConstant = 0;
    this.player = new Audio(); // Chromium decodes what comes from afar only for a player
    this.player.muted = true;
    this.player.srcObject = stream;
    this.source = context.createMediaStreamSource(stream);
    this.source.connect(this.analyser);
  }

  level() {
    const samples = new Float32Array(this.analyser.fftSize);
    this.analyser.getFloatTimeDomainData(samples);
    return Math.sqrt(samples.reduce((sum, one) => sum + one * one, 0) / samples.length);
  }

  // By how many decibels this frequency stands above the middle of all others.
  above(frequency) {
    const loud = new Float32Array(this.analyser.frequencyBinCount);
    this.analyser.getFloatFrequencyData(loud);
    const width = this.context.sampleRate / this.analyser.fftSize;
    const at = Math.round(frequency / width);
    const peak = Math.max(...loud.slice(at - 2, at + 3));
    const band = [...loud.slice(0, Math.round(4000 / width))].sort((a, b) => a - b);
    return peak - band[Math.floor(band.length / 2)];
  }

  close() {
    this.player.srcObject = null;
    this.source.disconnect();
    this.context.close();
  }
}
