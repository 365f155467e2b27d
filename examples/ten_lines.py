import os

import anyio

import listenkey

KEY, SECRET = os.environ["LISTENKEY_API_KEY"], os.environ["LISTENKEY_API_SECRET"]


async def main() -> None:
    async with listenkey.open_venue("bingx-swap", api_key=KEY, api_secret=SECRET) as venue, venue.subscribe() as stream:
        async for event in stream:
            if isinstance(event, (listenkey.Fill, listenkey.GapNotice)):
                print(event.to_json().decode())


anyio.run(main)
