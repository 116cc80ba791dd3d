import { type ReactNode, useId } from "react";
import { useParam } from "../data/console.ts";

/** What a list is narrowed down by. */
export function Toolbar({ children }: { readonly children: ReactNode }) {
  return (
    <div className="toolbar" role="search">
      {children}
    </div>
  );
}

/** The search of a screen, kept in its address. */
export function Search({ placeholder }: { readonly placeholder: string }) {
  const [value, set] = useParam("q");
  return (
    <input
      type="search"
      aria-label="Search"
      className="search"
      placeholder={placeholder}
      value={value}
      onChange={(event) => set(event.target.value, true)}
    />
  );
}

interface FilterProps {
  readonly label: string;
  readonly param: string;
  readonly options: readonly string[];
  /** What stands for no choice. */
  readonly all: string;
}

/** One filter of a screen, kept in its address. */
export function Filter({ label, param, options, all }: FilterProps) {
  const [value, set] = useParam(param);
  const id = useId();
  const known = value === "" || options.includes(value) ? options : [value, ...options];
  return (
    <span className="filter">
      <label htmlFor={id}>{label}</label>
      <select id={id} value={value} onChange={(event) => set(event.target.value)}>
        <option value="">{all}</option>
        {known.map((option) => (
          <option key={option} value={option}>
            {option}
          </option>
        ))}
      </select>
    </span>
  );
}
