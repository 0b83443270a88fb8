// The softphone: SIP by JsSIP over our own /sip proxy, audio by WebRTC straight to Asterisk.
//
// One registration for each node. One call at a time: Asterisk rings, the console answers, and a call that is left over ends by that. The
// server owns the call; this file only carries audio, and says what it hears.
import JsSIP from "../vendor/jssip.js";
import { Quality } from "./quality.js";

const REPLACED = 4001;
const GATHER_MS = 400; // candidates that come later are not waited for
const REGISTER_S = 120;

export class Softphone extends EventTarget {
  // account: {user, nodes: [name], ice_servers: [...]}; devices: Devices
  constructor(account, devices) {
    super();
    this.account = account;
    this.devices = devices;
    this.lines = [];
    this.session = null;
    this.incoming = null;
    this.muted = false;
    this.quality = null;
    this.audio = new Audio();
    this.audio.autoplay = true;
    this.expected = false; // the next call is one that she asked for: it is answered at once
    devices.addEventListener("output", () => this.#useOutput());
    devices.addEventListener("input", () => this.#useInput());
  }

  start() {
    for (const node of this.account.nodes) this.lines.push(this.#line(node));
  }

  stop() {
    for (const line of this.lines) line.ua.stop();
    this.lines = [];
  }

  get registered() {
    return this.lines.length > 0 && this.lines.every((line) => line.ua.isRegistered());
  }

  // Whether the center can be told what becomes of the call.
  get reachable() {
    return this.session?.line ? this.session.line.ua.isConnected() : this.registered;
  }

  get talking() {
    return Boolean(this.session && this.session.isEstablished());
  }

  // --- what she does -------------------------------------------------------------------------

  async answer() {
    const session = this.incoming;
    if (!session) return false;
    this.incoming = null;
    if (this.session) this.session.terminate(); // the center rings only whom it holds to be free: what is here is left over
    try {
      const stream = await this.devices.microphone();
      if (session.isEnded()) return false;
      session.answer({ mediaStream: stream, pcConfig: this.#pcConfig() });
    } catch (error) {
      this.#tell("trouble", { what: "microphone", error: error.name });
      session.terminate({ status_code: 480 });
      return false;
    }
    return true;
  }

  decline() {
    if (this.incoming) this.incoming.terminate({ status_code: 486 });
  }

  hangUp() {
    const session = this.session || this.incoming;
    if (session && !session.isEnded()) session.terminate();
  }

  mute(on) {
    this.muted = on;
    if (this.session) on ? this.session.mute({ audio: true }) : this.session.unmute({ audio: true });
    this.#tell("muted", { muted: on });
  }

  // By re-INVITE, as a desk phone does: the caller hears the music, and the time counts as hold.
  hold(on) {
    if (!this.talking) return Promise.resolve(false);
    return new Promise((resolve) => {
      const done = () => resolve(true);
      const begun = on ? this.session.hold({}, done) : this.session.unhold({}, done);
      if (!begun) resolve(false);
    });
  }

  get held() {
    return Boolean(this.session && this.session.isOnHold().local);
  }

  sendDigits(digits) {
    if (this.talking) this.session.sendDTMF(digits, { duration: 120, interToneGap: 80, transportType: "RFC2833" });
  }

  // Calls something at Asterisk itself, such as the echo test. Resolves with {session, remote} once connected.
  call(target, stream) {
    const ua = this.lines[0] && this.lines[0].ua;
    if (!ua) return Promise.reject(new Error("not started"));
    return new Promise((resolve, reject) => {
      const session = ua.call(`sip:${target}@callcenter`, { mediaStream: stream, pcConfig: this.#pcConfig(), sessionTimersExpires: 120 });
      this.#hurryCandidates(session);
      const remote = new MediaStream();
      session.connection.addEventListener("track", (event) => remote.addTrack(event.track));
      session.on("confirmed", () => resolve({ session, remote }));
      session.on("failed", (event) => reject(new Error(event.cause)));
    });
  }

  // --- one registration ----------------------------------------------------------------------

  #line(node) {
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    const socket = new JsSIP.WebSocketInterface(`${scheme}://${location.host}/sip/${encodeURIComponent(node)}`);
    socket.via_transport = "WS"; // what Asterisk sees, whatever the browser's side is
    const ua = new JsSIP.UA({
      sockets: [socket],
      uri: `sip:${this.account.user}@callcenter`,
      register: true,
      register_expires: REGISTER_S,
      connection_recovery_min_interval: 1,
      connection_recovery_max_interval: 5,
      no_answer_timeout: 120,
      user_agent: "callcenter console",
    });
    const line = { node, ua, lost: false };
    ua.on("registered", () => this.#onRegistered(line));
    ua.on("unregistered", () => this.#tell("state"));
    ua.on("registrationFailed", (event) => this.#tell("trouble", { what: "registration", error: String(event.cause) }));
    ua.on("connected", () => this.#tell("state"));
    ua.on("disconnected", (event) => this.#onDisconnected(line, event));
    ua.on("newRTCSession", (event) => this.#onSession(line, event));
    ua.start();
    return line;
  }

  #onRegistered(line) {
    if (line.lost && this.talking && this.session.line === line) {
      // Our address is a new one; this request tells Asterisk where the call goes on.
      this.session.sendRequest(JsSIP.C.UPDATE, { extraHeaders: [`Contact: ${this.session.contact}`] });
    }
    line.lost = false;
    this.#tell("state");
  }

  #onDisconnected(line, event) {
    line.lost = true;
    if (event.code === REPLACED) {
      line.ua.stop();
      this.#tell("replaced");
    }
    this.#tell("state");
  }

  // --- calls ---------------------------------------------------------------------------------

  #onSession(line, { originator, session }) {
    if (originator !== "remote") return;
    if (this.incoming) {
      session.terminate({ status_code: 486 });
      return;
    }
    session.line = line;
    this.incoming = session;
    this.#hurryCandidates(session);
    session.on("peerconnection", ({ peerconnection }) => {
      peerconnection.addEventListener("track", (event) => this.#hear(event.streams[0] || new MediaStream([event.track])));
      peerconnection.addEventListener("connectionstatechange", () => this.#onPath(session, peerconnection.connectionState));
    });
    session.on("accepted", () => this.#onConnected(session));
    session.on("ended", (event) => this.#onEnded(session, event));
    session.on("failed", (event) => this.#onEnded(session, event));
    session.on("hold", () => this.#tell("held", { held: this.held }));
    session.on("unhold", () => this.#tell("held", { held: this.held }));
    this.#tell("ringing", { from: session.remote_identity.uri.user });
    if (this.expected) {
      this.expected = false;
      this.answer();
    }
  }

  #onConnected(session) {
    this.session = session;
    this.incoming = null;
    this.muted = false;
    this.quality = new Quality(session.connection);
    this.quality.addEventListener("measured", (event) => this.#tell("quality", event.detail));
    this.quality.start();
    this.#tell("connected");
  }

  #onEnded(session, event) {
    if (this.incoming === session) this.incoming = null;
    if (this.session === session) {
      this.session = null;
      this.#tell("summary", this.quality.stop());
      this.audio.srcObject = null;
      this.devices.release();
    }
    this.#tell("ended", { cause: String(event.cause), originator: event.originator });
  }

  // After a sleep or a loss of the network: the far end is gone, and could not say so.
  #onPath(session, state) {
    this.#tell("path", { state });
    if (state === "failed" && !session.isEnded()) session.terminate();
  }

  #hear(stream) {
    this.audio.srcObject = stream;
    this.#useOutput();
    this.audio.play().catch((error) => this.#tell("trouble", { what: "playback", error: error.name }));
  }

  async #useOutput() {
    if (this.audio.setSinkId && this.devices.output !== undefined) {
      await this.audio.setSinkId(this.devices.output).catch((error) => this.#tell("trouble", { what: "output", error: error.name }));
    }
  }

  async #useInput() {
    if (!this.session) return;
    const [track] = (await this.devices.microphone()).getAudioTracks();
    const sender = this.session.connection.getSenders().find((one) => one.track && one.track.kind === "audio");
    if (sender) {
      track.enabled = !this.muted && !this.held;
      await sender.replaceTrack(track);
    }
  }

  #pcConfig() {
    return { iceServers: this.account.ice_servers, rtcpMuxPolicy: "require" };
  }

  #hurryCandidates(session) {
    let timer = 0;
    session.on("icecandidate", (event) => {
      clearTimeout(timer);
      timer = setTimeout(() => event.ready(), GATHER_MS);
    });
  }

  #tell(type, detail = {}) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
