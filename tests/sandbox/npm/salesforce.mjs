// jsforce signed in to the sandbox in each of its ways; the address and the credentials come from the environment.
import jsforce from "jsforce";

const { SANDBOX_URL: url, SALESFORCE_CLIENT_ID: clientId, SALESFORCE_CLIENT_SECRET: clientSecret } = process.env;
const { SALESFORCE_USERNAME: username, SALESFORCE_PASSWORD: password } = process.env;

export const bySoap = async () => {
  const conn = new jsforce.Connection({ loginUrl: url, version: "62.0" });
  await conn.login(username, password);
  return conn;
};

export const byClientCredentials = async () => {
  const conn = new jsforce.Connection({ oauth2: { clientId, clientSecret, loginUrl: url }, version: "62.0" });
  await conn.authorize({ grant_type: "client_credentials" });
  return conn;
};

export const named = (prefix, count) => Array.from({ length: count }, (_, n) => `${prefix} ${String(n).padStart(4, "0")}`);
