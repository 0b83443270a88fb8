// The console's line to the center: events come in order and none twice, commands are answered, and after a gap it goes on
// where it was. What is said stands in docs/console-socket.md.
//
//   const line = new ConsoleSocket();
//   line.on("offer", ({ contact }) => pop(contact));
//   line.on("state", ({ connected }) => …);
//   await line.do("agent_ready");            // resolves to the answer, rejects with an Error whose message is a sentence

const QUIET_AFTER = 8_000; // milliseconds without a word after which we ask whether anybody is there
const ANSWER_WITHIN = 5_000;
const RETRY_FIRST = 150;
const RETRY_LAST = 3_000;
const SIGNED_OUT = 4401;

export class ConsoleSocket {
  #address;
  #socket = null;
  #session = "";
  #seq = 0;
  #listeners = new Map();
  #asked = new Map(); // by id: { message, resolve, reject }
  #retry = RETRY_FIRST;
  #heardAt = 0;
  #checking = null;
  #closed = false;
  #signedOut = ""; // why nothing can be asked for any more
  #reconnecting = null;

  connected = false;
  lead = false; // whether this tab has the audio
  clockAhead = 0; // of the center, in milliseconds

  constructor(address = "/console/socket") {
    this.#address = new URL(address, location.href);
    this.#address.protocol = this.#address.protocol === "https:" ? "wss:" : "ws:";
    this.#open();
    this.#checking = setInterval(() => this.#check(), 1_000);
    addEventListener("online", () => this.#again(0));
    document.addEventListener("visibilitychange", () => document.hidden || this.#check());
  }

  /** Be told of an event by its name; "*" of all. Returns a function that ends it. */
  on(event, listener) {
    if (!this.#listeners.has(event)) this.#listeners.set(event, new Set());
    this.#listeners.get(event).add(listener);
    return () => this.#listeners.get(event).delete(listener);
  }

  /** Ask for an operation. It is carried out once, however often the line breaks before the answer is here. */
  do(operation, fields = {}) {
    if (this.#signedOut) return Promise.reject(new Error(this.#signedOut));
    const message = { ...fields, id: crypto.randomUUID(), do: operation };
    return new Promise((resolve, reject) => {
      this.#asked.set(message.id, { message, resolve, reject });
      this.#send(message);
    });
  }

  /** Have the audio in this tab. */
  takeLead() {
    return this.do("lead");
  }

  close() {
    this.#closed = true;
    clearInterval(this.#checking);
    clearTimeout(this.#reconnecting);
    this.#socket?.close();
  }

  #open() {
    const address = new URL(this.#address);
    if (this.#session) {
      address.searchParams.set("session", this.#session);
      address.searchParams.set("since", String(this.#seq));
    }
    const socket = new WebSocket(address);
    this.#socket = socket;
    this.#heardAt = Date.now();
    socket.addEventListener("message", ({ data }) => socket === this.#socket && this.#hear(JSON.parse(data)));
    socket.addEventListener("close", ({ code, reason }) => socket === this.#socket && this.#lost(code, reason));
  }

  #hear(message) {
    this.#heardAt = Date.now();
    if (message.event === undefined) this.#answered(message);
    else if (message.event === "hello") this.#greeted(message);
    else if (message.event === "picture") this.#told(message);
    else if (message.seq === undefined) this.#told(message);
    else if (message.seq > this.#seq) this.#told(message); // else it was told already
  }

  #greeted(hello) {
    if (!hello.resumed) this.#session = hello.session;
    this.connected = true;
    this.lead = hello.lead;
    this.clockAhead = Date.parse(hello.at) - Date.now();
    this.#retry = RETRY_FIRST;
    this.#tell("hello", hello);
    this.#tell("lead", { lead: this.lead });
    this.#tell("state", { connected: true, why: "" });
    for (const { message } of this.#asked.values()) this.#send(message);
  }

  #told(message) {
    if (message.seq !== undefined) this.#seq = message.seq;
    if (message.event === "lead") this.lead = message.lead;
    this.#tell(message.event, message);
  }

  #answered(message) {
    const asked = this.#asked.get(message.id);
    if (!asked) return;
    this.#asked.delete(message.id);
    if (message.error === undefined) asked.resolve(message.ok);
    else asked.reject(new Error(message.error));
  }

  #tell(event, message) {
    for (const name of [event, "*"]) {
      for (const listener of this.#listeners.get(name) ?? []) listener(message);
    }
  }

  #send(message) {
    if (this.connected && this.#socket.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message));
  }

  // A laptop that slept, a network that swallows: the socket looks open and is not.
  #check() {
    const quiet = Date.now() - this.#heardAt;
    if (!this.connected || quiet < QUIET_AFTER) return;
    if (quiet < QUIET_AFTER + ANSWER_WITHIN) this.#send({ id: "ping", do: "ping" });
    else this.#lost(0, "");
  }

  #lost(code, reason) {
    const socket = this.#socket;
    this.#socket = null;
    socket?.close();
    this.connected = false;
    this.lead = false;
    if (this.#closed) return;
    if (code === SIGNED_OUT) this.#over(reason);
    else {
      this.#tell("state", { connected: false, why: reason });
      this.#again(this.#retry);
      this.#retry = Math.min(RETRY_LAST, this.#retry * 2);
    }
  }

  #again(after) {
    if (this.#closed || this.#socket) return;
    clearTimeout(this.#reconnecting);
    this.#reconnecting = setTimeout(() => this.#open(), after);
  }

  #over(reason) {
    this.#closed = true;
    this.#signedOut = reason;
    clearInterval(this.#checking);
    for (const { reject } of this.#asked.values()) reject(new Error(reason));
    this.#asked.clear();
    this.#tell("state", { connected: false, why: reason, signedOut: true });
  }
}
