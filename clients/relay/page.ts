// What usePaginationFragment of react-relay does, without React.
import {
  type Environment,
  fetchQuery,
  getFragment,
  getPaginationMetadata,
  getPaginationVariables,
  getRefetchMetadata,
  getSelector,
  type GraphQLTaggedNode,
  type SingularReaderSelector,
} from "relay-runtime";

/** A fragment with @connection and @refetchable, as a component reads it. */
export class Page<Data extends object> {
  private readonly selector: SingularReaderSelector;
  private readonly pagination;
  private readonly query;

  private readonly environment: Environment;

  constructor(environment: Environment, fragment: GraphQLTaggedNode, parent: object) {
    this.environment = environment;
    const node = getFragment(fragment);
    this.selector = getSelector(node, parent) as SingularReaderSelector;
    this.query = getRefetchMetadata(node, "Page").refetchableRequest;
    this.pagination = getPaginationMetadata(node, "Page");
  }

  /** What the store holds now. */
  get data(): Data {
    return this.environment.lookup(this.selector).data as unknown as Data;
  }

  /** Fetches `count` more in a direction, after or before the cursor that the page ends with. */
  async more(direction: "forward" | "backward", count: number, extra: object = {}): Promise<void> {
    const { connectionPathInFragmentData: path, paginationMetadata, paginationRequest } = this.pagination;
    const connection = path.reduce((at: any, field) => at[field], this.data);
    const cursor = direction === "forward" ? connection.pageInfo.endCursor : connection.pageInfo.startCursor;
    const variables = getPaginationVariables(
      direction, count, cursor, this.selector.variables as never, extra as never, paginationMetadata,
    );
    await fetchQuery(this.environment, paginationRequest, variables as never).toPromise();
  }

  /** Fetches the fragment anew. */
  async refetch(extra: object): Promise<void> {
    await fetchQuery(this.environment, this.query as never, { ...this.selector.variables, ...extra } as never).toPromise();
  }
}
