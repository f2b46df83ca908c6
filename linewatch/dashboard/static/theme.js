// Light or dark: as the machine has it, until somebody presses the button.

const KEY = "linewatch-theme";

export function setUpTheme(button) {
  const system = matchMedia("(prefers-color-scheme: dark)");
  const apply = () => {
    const dark = (localStorage.getItem(KEY) ?? (system.matches ? "dark" : "light")) === "dark";
    document.documentElement.dataset.theme = dark ? "dark" : "light";
    button.setAttribute("aria-pressed", String(dark));
  };
  button.addEventListener("click", () => {
    const dark = document.documentElement.dataset.theme === "dark";
    localStorage.setItem(KEY, dark ? "light" : "dark");
    apply();
  });
  system.addEventListener("change", apply);
  apply();
}
