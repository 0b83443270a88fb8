// The words of a part of the screens, in the page's language: `const t = await words("console"); t("answer"); t("waiting", {n: 3})`.
// What `words/catalogue.py` does for templates.
const language = document.documentElement.lang;
const forms = new Intl.PluralRules(language);

export async function words(area) {
  const answer = await fetch(`/words/${language}/${area}.json`);
  if (!answer.ok) throw new Error(`no words for ${area}`);
  const texts = await answer.json();
  return (key, values = {}) => {
    const found = texts[key];
    if (found === undefined) throw new Error(`no word ${area}.${key}`);
    const text = typeof found === "string" ? found : (found[forms.select(values.n ?? 0)] ?? found.other);
    return text.replace(/\{(\w+)\}/g, (place, name) => String(values[name] ?? place));
  };
}

// What a script sends along that changes something, beside the cookie.
export function formHeaders() {
  return { "X-Form-Token": document.querySelector('meta[name="form-token"]').content };
}

// Said to screen readers.
export function announce(text) {
  document.getElementById("announcement").textContent = text;
}
