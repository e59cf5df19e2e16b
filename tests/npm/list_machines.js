// Lists spaces, machines and one machine's events from a portal with Octopus's official client, and prints them as JSON.
const { Client } = require("@octopusdeploy/api-client");

async function main() {
  const client = await Client.create({
    userAgentApp: "pytest-tentacle-tests",
    instanceURL: process.env.PORTAL,
    apiKey: process.env.PORTAL_KEY,
  });
  const info = await client.getServerInformation();
  const spaces = await client.get("~/api/spaces{?skip,take}", { skip: 0, take: 2147483647 });
  const found = [];
  for (const space of spaces.Items) {
    const machines = await client.get("~/api/{spaceId}/machines{?skip,take}", { spaceId: space.Id, skip: 0, take: 2147483647 });
    for (const machine of machines.Items)
      found.push({ space: space.Name, name: machine.Name, style: machine.Endpoint.CommunicationStyle, uri: machine.Endpoint.Uri, health: machine.HealthStatus, disabled: machine.IsDisabled });
  }
  console.log(JSON.stringify({ version: info.version, found }));
}

main().catch((error) => { console.error(String(error && error.message ? error.message : error)); process.exit(1); });
