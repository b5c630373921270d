"""A server and a client on the loopback address: both parse HTTP in compiled code."""

import asyncio

import aiohttp
from aiohttp import web
from aiohttp.http_parser import HttpRequestParser, HttpRequestParserPy


def test_the_compiled_parser_is_taken():
    assert HttpRequestParser is not HttpRequestParserPy


def test_requests_and_websockets():
    async def echo(request):
        return web.json_response({"method": request.method, "body": await request.text(), "q": request.query["q"]})

    async def socket(request):
        response = web.WebSocketResponse()
        await response.prepare(request)
        async for message in response:
            await response.send_str(message.data[::-1])
        return response

    async def run():
        app = web.Application()
        app.add_routes([web.post("/echo", echo), web.get("/socket", socket)])
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = site._server.sockets[0].getsockname()[1]
        async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session:
            async with session.post("/echo?q=ü", data="text" * 10000) as response:
                said = await response.json()
            async with session.ws_connect("/socket") as connection:
                await connection.send_str("abc")
                answer = await connection.receive_str()
        await runner.cleanup()
        return said, answer

    said, answer = asyncio.run(run())
    assert said == {"method": "POST", "body": "text" * 10000, "q": "ü"}
    assert answer == "cba"
