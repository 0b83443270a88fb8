// How a call sounds, from the browser's own statistics: each second what is shown, at the end what is kept.

const EVERY_MS = 1000;

export class Quality extends EventTarget {
  constructor(connection) {
    super();
    this.connection = connection;
    this.timer = 0;
    this.latest = null;
    this.worst = { loss: 0, jitter_ms: 0, rtt_ms: 0 };
    this.sums = { jitter_ms: 0, rtt_ms: 0, times: 0 };
  }

  start() {
    this.timer = setInterval(() => this.#measure(), EVERY_MS);
  }

  // Returns what is to be kept with the contact; null when nothing was measured.
  stop() {
    clearInterval(this.timer);
    if (!this.latest) return null;
    const { received, lost, sent, energy_in } = this.latest;
    const times = Math.max(1, this.sums.times);
    return {
      received, lost, sent, energy_in,
      loss: received + lost > 0 ? lost / (received + lost) : 0,
      jitter_ms: this.sums.jitter_ms / times,
      rtt_ms: this.sums.rtt_ms / times,
      worst_loss: this.worst.loss,
      worst_jitter_ms: this.worst.jitter_ms,
      worst_rtt_ms: this.worst.rtt_ms,
    };
  }

  async #measure() {
    if (this.connection.connectionState === "closed") return;
    const now = read(await this.connection.getStats());
    const before = this.latest || { received: 0, lost: 0 };
    const received = now.received - before.received;
    const lost = Math.max(0, now.lost - before.lost);
    now.loss = received + lost > 0 ? lost / (received + lost) : 0;
    this.latest = now;
    for (const name of ["loss", "jitter_ms", "rtt_ms"]) this.worst[name] = Math.max(this.worst[name], now[name]);
    this.sums.jitter_ms += now.jitter_ms;
    this.sums.rtt_ms += now.rtt_ms;
    this.sums.times += 1;
    this.dispatchEvent(new CustomEvent("measured", { detail: now }));
  }
}

// One picture of the path, both ways.
export function read(stats) {
  const now = { received: 0, lost: 0, sent: 0, jitter_ms: 0, rtt_ms: 0, level_in: 0, level_out: 0, energy_in: 0, energy_out: 0 };
  for (const one of stats.values()) {
    if (one.type === "inbound-rtp" && one.kind === "audio") {
      now.received = one.packetsReceived || 0;
      now.lost = Math.max(0, one.packetsLost || 0);
      now.jitter_ms = 1000 * (one.jitter || 0);
      now.level_in = one.audioLevel || 0;
      now.energy_in = one.totalAudioEnergy || 0;
    } else if (one.type === "outbound-rtp" && one.kind === "audio") {
      now.sent = one.packetsSent || 0;
    } else if (one.type === "media-source" && one.kind === "audio") {
      now.level_out = one.audioLevel || 0;
      now.energy_out = one.totalAudioEnergy || 0;
    } else if (one.type === "candidate-pair" && one.nominated && one.currentRoundTripTime !== undefined) {
      now.rtt_ms = 1000 * one.currentRoundTripTime;
    }
  }
  return now;
}

// "good", "fair" or "poor": what people notice (ITU-T G.114 for the delay; more than 5 % lost is heard by everybody).
export function grade(measured) {
  if (measured.loss > 0.05 || measured.jitter_ms > 60 || measured.rtt_ms > 400) return "poor";
  if (measured.loss > 0.01 || measured.jitter_ms > 30 || measured.rtt_ms > 250) return "fair";
  return "good";
}
