import type { RolloutListing } from "@datawire/api";
import { formatCount, formatMs, formatShare } from "../../core/format.ts";
import { placeBounds } from "../../core/interval.ts";
import { Section } from "../../parts/page.tsx";
import { StateMark } from "../../parts/state-mark.tsx";
import { type Check, isGoing, type Step, unitOf } from "./data.ts";

/** The steps of a rollout, each with how far it is and what its checks say. */
export function Steps({ rollout }: { readonly rollout: RolloutListing }) {
  return (
    <Section title="Steps">
      <ol className="steps">
        {rollout.steps.map((step, i) => (
          <StepItem
            key={i}
            index={i}
            step={step}
            isCurrent={i === rollout.step && isGoing(rollout)}
            isOver={!isGoing(rollout)}
          />
        ))}
      </ol>
    </Section>
  );
}

interface StepItemProps {
  readonly index: number;
  readonly step: Step;
  readonly isCurrent: boolean;
  /** Whether the rollout has ended: what was not reached by then never will be. */
  readonly isOver: boolean;
}

function StepItem({ index, step, isCurrent, isOver }: StepItemProps) {
  const { share, forMs, state, watchedMs, requests, checks } = step;
  const done = forMs === 0 ? 100 : Math.min(100, (watchedMs / forMs) * 100);
  return (
    <li
      data-testid="step"
      data-key={index}
      data-state={state}
      aria-current={isCurrent ? "step" : undefined}
      className={`step step-${state}`}
    >
      <p className="step-head">
        <strong className="step-share">{formatShare(share)}</strong>
        <StateMark state={state === "waiting" ? (isOver ? "not reached" : "to come") : state} />
        {state === "waiting" ? (
          isOver ? null : (
            <span className="quiet">to be watched for {formatMs(forMs)}</span>
          )
        ) : (
          <>
            <span className="bar step-bar" aria-hidden="true">
              <span style={{ width: `${done}%` }} />
            </span>
            <span className="quiet">
              watched {formatMs(watchedMs)} of {formatMs(forMs)}, {formatCount(requests)} requests
            </span>
          </>
        )}
      </p>
      {checks.length === 0 ? null : <Checks checks={checks} />}
    </li>
  );
}

const HEADS = ["Says", "Check", "Target", "Between", "Beside the limit", "Limit", "Primary", "Requests"];
const NUMBERS = new Set(["Target", "Limit", "Primary", "Requests"]);

function Checks({ checks }: { readonly checks: readonly Check[] }) {
  return (
    <div className="table-frame" role="region" aria-label="Checks" tabIndex={0}>
      <table className="table">
        <thead>
          <tr>
            {HEADS.map((title) => (
              <th key={title} scope="col" className={NUMBERS.has(title) ? "plain-head number" : "plain-head"}>
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {checks.map((check) => (
            <CheckRow key={check.name} check={check} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function CheckRow({ check }: { readonly check: Check }) {
  const { name, state, target, baseline, limit, requests, lower, upper } = check;
  const show = (value: number | null): string => {
    const unit = unitOf(check);
    return unit === "ms" ? formatMs(value) : unit === "%" ? formatShare(value) : formatCount(value);
  };
  const between = lower === null ? "–" : upper === null ? `from ${show(lower)}` : `${show(lower)} to ${show(upper)}`;
  return (
    <tr data-testid="check" data-key={name} data-state={state}>
      <td data-col="state" data-value={state}>
        <StateMark state={state} />
      </td>
      <td data-col="name" data-value={name}>
        <code>{name}</code>
      </td>
      <td data-col="target" data-value={target ?? undefined} className="number">
        {show(target)}
      </td>
      <td data-col="between">{between}</td>
      <td className="interval-cell">
        <Interval check={check} />
      </td>
      <td data-col="limit" data-value={limit ?? undefined} className="number">
        {show(limit)}
      </td>
      <td data-col="primary" data-value={baseline ?? undefined} className="number">
        {show(baseline)}
      </td>
      <td data-col="requests" data-value={requests} className="number">
        {formatCount(requests)}
      </td>
    </tr>
  );
}

/** The bounds as a band, the limit as a line across: a band left of it passes, right of it fails. */
function Interval({ check: { state, lower, upper, target, limit } }: { readonly check: Check }) {
  const placed = placeBounds({ lower, upper, found: target, limit });
  if (placed === null) return null;
  const { from, to, found, limit: line } = placed;
  return (
    <span className={`interval interval-${state}`} aria-hidden="true">
      <span className="interval-band" style={{ insetInlineStart: `${from}%`, width: `max(3px, ${to - from}%)` }} />
      {found === null ? null : <span className="interval-found" style={{ insetInlineStart: `${found}%` }} />}
      {line === null ? null : <span className="interval-limit" style={{ insetInlineStart: `${line}%` }} />}
    </span>
  );
}
