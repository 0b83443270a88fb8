"""What a leg says, as Asterisk sends it over a media WebSocket (``chan_websocket``): binary frames; text is about the channel."""

from collections.abc import AsyncGenerator

import aiohttp

from callcenter.services.ports import RecogniserError

SUBPROTOCOL = "media"
CONNECT_S = 2.0
LARGEST_FRAME = 64 * 1024


async def frames(http: aiohttp.ClientSession, url: str) -> AsyncGenerator[bytes, None]:
    """Frames until the leg is gone, or nobody asks for more; then the connection is closed, and with it ends the channel that carries it.

    Raises RecogniserError when nobody answers at ``url``.
    """
    try:
        socket = await http.ws_connect(
            url,
            protocols=(SUBPROTOCOL,),
            max_msg_size=LARGEST_FRAME,
            compress=0,
            timeout=aiohttp.ClientWSTimeout(ws_close=CONNECT_S),
        )
    except (aiohttp.ClientError, OSError, TimeoutError) as error:
        raise RecogniserError(f"the audio cannot be had from Asterisk: {type(error).__name__}") from None
    try:
        async for message in socket:
            if message.type is aiohttp.WSMsgType.BINARY:
                yield message.data
    finally:
        await socket.close()
