import type { Explanation } from "@datawire/api";
import { cellClass } from "../core/cell-class.ts";
import { formatShare } from "../core/format.ts";

interface DistributionProps {
  readonly explanation: Explanation;
  /** Whether its rows are found by their targets; of several on one place one alone, as their targets are the same. Default: yes. */
  readonly isNamed?: boolean;
}

/** Where the requests of a caller go, a row a target, with why each gets its share. */
export function Distribution({ explanation, isNamed = true }: DistributionProps) {
  if (explanation.shares.length === 0)
    return <p className="quiet">Nothing is live: requests are answered with 503, or by the default URL.</p>;
  return (
    <table className="table shares">
      <thead>
        <tr>
          <th scope="col">Target</th>
          <th scope="col" className="number">
            Share
          </th>
          <th scope="col">
            <span className="unseen">Bar</span>
          </th>
          <th scope="col">Why</th>
        </tr>
      </thead>
      <tbody>
        {explanation.shares.map(({ target, percent, reason }) => (
          <tr key={target} data-key={isNamed ? target : undefined}>
            <td data-col="target" data-value={target} className={cellClass(target)}>
              {target}
            </td>
            <td data-col="share" data-value={percent} className="number">
              {formatShare(percent)}
            </td>
            <td className="bar-cell">
              <span className="bar" aria-hidden="true">
                <span style={{ width: `${percent}%` }} />
              </span>
            </td>
            <td className={`quiet ${cellClass(reason) ?? ""}`}>{reason}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
