import { type ReactNode, useEffect } from "react";

interface PageProps {
  readonly title: string;
  /** What can be done here. */
  readonly actions?: ReactNode;
  readonly children: ReactNode;
}

/** A screen with its heading; the title of the window follows it. */
export function Page({ title, actions, children }: PageProps) {
  useEffect(() => {
    document.title = `${title} · Mission Control`;
  }, [title]);
  return (
    <>
      <div className="page-head">
        <h1>{title}</h1>
        {actions === undefined ? null : <div className="actions">{actions}</div>}
      </div>
      {children}
    </>
  );
}

/** A part of a screen with a heading of its own. */
export function Section({ title, aside, children }: { title: string; aside?: ReactNode; children: ReactNode }) {
  return (
    <section className="section">
      <div className="section-head">
        <h2>{title}</h2>
        {aside}
      </div>
      {children}
    </section>
  );
}
