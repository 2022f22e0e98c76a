// Errors of pb.collection in the shape of the PocketBase JavaScript SDK.

interface ErrorData {
  url?: string;
  status?: number;
  response?: Record<string, any>;
  isAbort?: boolean;
  originalError?: any;
}

/** What a failed operation on records rejects with. */
export class ClientResponseError extends Error {
  url: string;
  status: number;
  response: Record<string, any>;
  isAbort: boolean;
  originalError: any;

  constructor(data: ErrorData = {}) {
    super();
    this.url = typeof data.url === "string" ? data.url : "";
    this.status = typeof data.status === "number" ? data.status : 0;
    this.response = typeof data.response === "object" && data.response !== null ? data.response : {};
    this.isAbort = data.isAbort === true;
    this.originalError = data.originalError ?? null;
    this.name = `ClientResponseError ${this.status}`;
    this.message = this.response.message || (this.isAbort ? "The operation was aborted." : data.originalError?.message || "Something went wrong.");
  }

  /** The same as response. */
  get data(): Record<string, any> { return this.response; }

  toJSON(): Record<string, unknown> {
    return { url: this.url, status: this.status, response: this.response, isAbort: this.isAbort, originalError: this.originalError, name: this.name };
  }
}
Object.defineProperty(ClientResponseError, "name", { value: "ClientResponseError" });

/** An error of a host operation as the caller of pb.collection sees it. */
export function responseError(error: any): unknown {
  if (error?.name !== "ClientResponseError") return error;
  const detail = error.detail ?? {};
  return new ClientResponseError({ url: detail.url, status: error.status, response: detail.response });
}

/** The 404 that the SDK makes without asking the server. */
export function notFound(url: string, message: string): ClientResponseError {
  return new ClientResponseError({ url, status: 404, response: { code: 404, message, data: {} } });
}
