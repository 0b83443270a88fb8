// Which microphone and loudspeaker, and the test before the shift.
import { by, make, options, show } from "./page.js";
import { testLoudspeaker, testMicrophone, testPath } from "./preshift.js";
import { grade } from "./quality.js";

export function audioPanel(t, phone, devices) {
  const say = (tone, text) => by("test-results").append(make("li", {}, make("span", { className: "tag" }, text)));
  const result = (good, text) => {
    const tag = make("span", { className: "tag" }, `${good ? "✓" : "✗"} ${text}`);
    tag.dataset.tone = good ? "good" : "alarm";
    by("test-results").append(make("li", {}, tag));
  };

  async function list() {
    const all = await devices.list();
    for (const [kind, id] of [["audioinput", "input"], ["audiooutput", "output"]]) {
      const entries = all.filter((one) => one.kind === kind && one.id !== "default").map((one) => [one.id, one.label || t("unnamed")]);
      options(by(id), [["", t("system_choice")], ...entries], devices[id] || "");
    }
  }

  async function test() {
    by("test").disabled = true;
    by("test-results").replaceChildren();
    try {
      say("", t("test_speak"));
      const microphone = await testMicrophone(devices, (level) => (by("level").value = level));
      by("test-results").replaceChildren();
      result(microphone.heard, microphone.heard ? t("test_microphone_good") : t("test_microphone_bad"));
      await list();
      await path();
      await testLoudspeaker(devices);
      show("test-asks", true);
    } catch (error) {
      result(false, error.name === "NotAllowedError" ? t("microphone_refused") : t("test_failed", { why: error.message || error.name }));
    } finally {
      by("test").disabled = false;
      by("level").value = 0;
    }
  }

  async function path() {
    if (!phone.registered || phone.talking) return result(false, t("test_no_phone"));
    const measured = await testPath(phone);
    const good = measured.heard && grade(measured) !== "poor";
    result(good, measured.heard ? t("test_path", { rtt: Math.round(measured.rtt_ms), loss: (100 * measured.loss).toFixed(1) }) : t("test_path_bad"));
  }

  const heard = (good) => {
    show("test-asks", false);
    result(good, good ? t("test_loudspeaker_good") : t("test_loudspeaker_bad"));
  };

  by("audio-open").addEventListener("click", () => {
    const open = by("audio").hidden;
    show("audio", open);
    by("audio-open").setAttribute("aria-expanded", String(open));
    if (open) list();
  });
  by("input").addEventListener("change", (event) => devices.choose("input", event.target.value || undefined));
  by("output").addEventListener("change", (event) => devices.choose("output", event.target.value || undefined));
  by("processing").checked = devices.processing;
  by("processing").addEventListener("change", (event) => devices.choose("processing", event.target.checked));
  by("test").addEventListener("click", test);
  by("test-yes").addEventListener("click", () => heard(true));
  by("test-no").addEventListener("click", () => heard(false));
  devices.addEventListener("changed", list);
}
