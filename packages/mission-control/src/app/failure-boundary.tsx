import { Component, type ReactNode } from "react";
import { Page } from "../parts/page.tsx";

interface BoundaryProps {
  /** What is shown: another place is tried anew. */
  readonly place: string;
  readonly children: ReactNode;
}

interface BoundaryState {
  readonly failure: { readonly message: string; readonly place: string } | null;
}

/** A screen that cannot be drawn says so in its place, and all around it works on. */
export class FailureBoundary extends Component<BoundaryProps, BoundaryState> {
  override state: BoundaryState = { failure: null };

  static getDerivedStateFromError(error: unknown): Pick<BoundaryState, "failure"> {
    return { failure: { message: error instanceof Error ? error.message : String(error), place: "" } };
  }

  static getDerivedStateFromProps({ place }: BoundaryProps, { failure }: BoundaryState): BoundaryState | null {
    if (failure === null || failure.place === place) return null;
    return { failure: failure.place === "" ? { ...failure, place } : null };
  }

  override render(): ReactNode {
    const { failure } = this.state;
    if (failure === null) return this.props.children;
    return (
      <Page title="Cannot be shown">
        <div role="alert" data-testid="error" className="banner banner-bad">
          <span>This screen failed: {failure.message}</span>
          <button type="button" onClick={() => this.setState({ failure: null })}>
            Retry
          </button>
        </div>
      </Page>
    );
  }
}
