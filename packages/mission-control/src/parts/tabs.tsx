import { type KeyboardEvent, type ReactNode, useId } from "react";
import { useParam } from "../data/console.ts";

/** One of several views of a screen. */
export interface Tab {
  /** What the address says. */
  readonly key: string;
  readonly title: string;
  show(): ReactNode;
}

/** Views of a screen of which one is shown; the first is the default. */
export function Tabs({ label, tabs }: { readonly label: string; readonly tabs: readonly Tab[] }) {
  const [key, set] = useParam("tab", tabs[0]?.key ?? "");
  const id = useId();
  const current = tabs.find((tab) => tab.key === key) ?? tabs[0];
  const move = (event: KeyboardEvent<HTMLElement>): void => {
    const step = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    const next = tabs[tabs.findIndex((tab) => tab === current) + step];
    if (step === 0 || next === undefined) return;
    event.preventDefault();
    set(next.key);
    document.getElementById(`${id}-${next.key}`)?.focus();
  };
  return (
    <>
      <div className="tabs" role="tablist" aria-label={label} onKeyDown={move}>
        {tabs.map((tab) => (
          <button
            key={tab.key}
            id={`${id}-${tab.key}`}
            type="button"
            role="tab"
            aria-selected={tab === current}
            aria-controls={`${id}-panel`}
            tabIndex={tab === current ? 0 : -1}
            onClick={() => set(tab.key)}
          >
            {tab.title}
          </button>
        ))}
      </div>
      <div id={`${id}-panel`} role="tabpanel" aria-labelledby={`${id}-${current?.key}`}>
        {current?.show()}
      </div>
    </>
  );
}
