// Which tab has the softphone. Of the tabs of one browser one has it at a time; of several browsers, the newest (the /sip line sees to it).
// A tab that is loaded anew was the owner and is again; any other asks first while a call is on.

const LOCK = "callcenter-softphone";
const WAS = "callcenter.had-phone";

export class PhoneOwner extends EventTarget {
  mine = false;
  wasMine = sessionStorage.getItem(WAS) === "yes";

  // Without force only when nobody has it.
  take(force = false) {
    if (!navigator.locks) return this.#got(null, true);
    const wanted = force ? { steal: true } : { ifAvailable: true };
    navigator.locks
      .request(LOCK, wanted, (lock) => this.#got(lock, false))
      .catch(() => this.lost()); // another tab has stolen it
    return undefined;
  }

  lost() {
    this.mine = false;
    sessionStorage.removeItem(WAS);
    this.release?.();
    this.release = null;
    this.dispatchEvent(new Event("changed"));
  }

  #got(lock, without) {
    this.mine = without || lock !== null;
    if (this.mine) sessionStorage.setItem(WAS, "yes");
    this.dispatchEvent(new Event("changed"));
    if (!this.mine || without) return undefined;
    return new Promise((resolve) => (this.release = resolve)); // held until the tab is gone
  }
}
