"""What Asterisk says and understands over ARI, from its own JSON.

Written by ``callcenter.adapters.ari.generate``: change that, not this.
"""

from typing import NamedTuple, NotRequired, TypedDict


class Operation(NamedTuple):
    """An HTTP method and a path below ``/ari``, with the names of ids in braces."""

    method: str
    path: str


class AdditionalParam(TypedDict):
    parameter_name: str
    parameter_value: str


class Application(TypedDict):
    name: str
    channel_ids: list[str]
    bridge_ids: list[str]
    endpoint_ids: list[str]
    device_names: list[str]
    events_allowed: list[dict[str, object]]
    events_disallowed: list[dict[str, object]]


class Message(TypedDict):
    type: str
    asterisk_id: NotRequired[str]


class Event(Message):
    application: str
    timestamp: str


class CallerID(TypedDict):
    name: str
    number: str


class DialplanCEP(TypedDict):
    context: str
    exten: str
    priority: int
    app_name: str
    app_data: str


class Channel(TypedDict):
    id: str
    protocol_id: str
    name: str
    state: str
    caller: CallerID
    connected: CallerID
    accountcode: str
    dialplan: DialplanCEP
    creationtime: str
    language: str
    channelvars: NotRequired[dict[str, object]]
    caller_rdnis: NotRequired[str]
    tenantid: NotRequired[str]


class ApplicationMoveFailed(Event):
    channel: Channel
    destination: str
    args: list[str]


class ApplicationRegistered(Event):
    pass


class ApplicationReplaced(Event):
    pass


class ApplicationUnregistered(Event):
    pass


class BuildInfo(TypedDict):
    os: str
    kernel: str
    options: str
    machine: str
    date: str
    user: str


class SystemInfo(TypedDict):
    version: str
    entity_id: str


class SetId(TypedDict):
    user: str
    group: str


class ConfigInfo(TypedDict):
    name: str
    default_language: str
    max_channels: NotRequired[int]
    max_open_files: NotRequired[int]
    max_load: NotRequired[float]
    setid: SetId


class StatusInfo(TypedDict):
    startup_time: str
    last_reload_time: str


class AsteriskInfo(TypedDict):
    build: NotRequired[BuildInfo]
    system: NotRequired[SystemInfo]
    config: NotRequired[ConfigInfo]
    status: NotRequired[StatusInfo]


class AsteriskPing(TypedDict):
    asterisk_id: str
    ping: str
    timestamp: str


class Bridge(TypedDict):
    id: str
    technology: str
    bridge_type: str
    bridge_class: str
    creator: str
    name: str
    channels: list[str]
    video_mode: NotRequired[str]
    video_source_id: NotRequired[str]
    creationtime: str
    bridgevars: NotRequired[dict[str, object]]


class BridgeAttendedTransfer(Event):
    transferer_first_leg: Channel
    transferer_second_leg: Channel
    replace_channel: NotRequired[Channel]
    transferee: NotRequired[Channel]
    transfer_target: NotRequired[Channel]
    result: str
    is_external: bool
    transferer_first_leg_bridge: NotRequired[Bridge]
    transferer_second_leg_bridge: NotRequired[Bridge]
    destination_type: str
    destination_bridge: NotRequired[str]
    destination_application: NotRequired[str]
    destination_link_first_leg: NotRequired[Channel]
    destination_link_second_leg: NotRequired[Channel]
    destination_threeway_channel: NotRequired[Channel]
    destination_threeway_bridge: NotRequired[Bridge]


class BridgeBlindTransfer(Event):
    channel: Channel
    replace_channel: NotRequired[Channel]
    transferee: NotRequired[Channel]
    exten: str
    context: str
    result: str
    is_external: bool
    bridge: NotRequired[Bridge]


class BridgeCreated(Event):
    bridge: Bridge


class BridgeDestroyed(Event):
    bridge: Bridge


class BridgeMerged(Event):
    bridge: Bridge
    bridge_from: Bridge


class BridgeVideoSourceChanged(Event):
    bridge: Bridge
    old_video_source_id: NotRequired[str]


class CallBroadcast(Event):
    channel: Channel
    caller: NotRequired[str]
    called: NotRequired[str]


class CallClaimed(Event):
    channel: Channel
    winner_app: str


class ChannelCallerId(Event):
    caller_presentation: int
    caller_presentation_txt: str
    channel: Channel


class ChannelConnectedLine(Event):
    channel: Channel


class ChannelCreated(Event):
    channel: Channel


class ChannelDestroyed(Event):
    cause: int
    cause_txt: str
    tech_cause: NotRequired[int]
    channel: Channel


class ChannelDialplan(Event):
    channel: Channel
    dialplan_app: str
    dialplan_app_data: str


class ChannelDtmfReceived(Event):
    digit: str
    duration_ms: int
    channel: Channel


class ChannelEnteredBridge(Event):
    bridge: Bridge
    channel: NotRequired[Channel]


class ChannelHangupRequest(Event):
    cause: NotRequired[int]
    tech_cause: NotRequired[int]
    soft: NotRequired[bool]
    channel: Channel


class ChannelHold(Event):
    channel: Channel
    musicclass: NotRequired[str]


class ChannelLeftBridge(Event):
    bridge: Bridge
    channel: Channel


class ChannelStateChange(Event):
    channel: Channel


class ChannelTalkingFinished(Event):
    channel: Channel
    duration: int


class ChannelTalkingStarted(Event):
    channel: Channel


class ChannelToneDetected(Event):
    channel: Channel


class RequiredDestination(TypedDict):
    protocol_id: NotRequired[str]
    destination: NotRequired[str]
    additional_protocol_params: NotRequired[list[AdditionalParam]]


class ReferTo(TypedDict):
    requested_destination: RequiredDestination
    destination_channel: NotRequired[Channel]
    connected_channel: NotRequired[Channel]
    bridge: NotRequired[Bridge]


class ReferredBy(TypedDict):
    source_channel: Channel
    connected_channel: NotRequired[Channel]
    bridge: NotRequired[Bridge]


class ChannelTransfer(Event):
    state: NotRequired[str]
    refer_to: ReferTo
    referred_by: ReferredBy


class ChannelUnhold(Event):
    channel: Channel


class Endpoint(TypedDict):
    technology: str
    resource: str
    state: NotRequired[str]
    channel_ids: list[str]


class ChannelUserevent(Event):
    eventname: str
    channel: NotRequired[Channel]
    bridge: NotRequired[Bridge]
    endpoint: NotRequired[Endpoint]
    userevent: dict[str, object]


class ChannelVarset(Event):
    variable: str
    value: str
    channel: NotRequired[Channel]


class ConfigTuple(TypedDict):
    attribute: str
    value: str


class ContactInfo(TypedDict):
    uri: str
    contact_status: str
    aor: str
    roundtrip_usec: NotRequired[str]


class ContactStatusChange(Event):
    endpoint: Endpoint
    contact_info: ContactInfo


class DeviceState(TypedDict):
    name: str
    state: str


class DeviceStateChanged(Event):
    device_state: DeviceState


class Dial(Event):
    caller: NotRequired[Channel]
    peer: Channel
    forward: NotRequired[str]
    forwarded: NotRequired[Channel]
    dialstring: NotRequired[str]
    dialstatus: str


class Dialed(TypedDict):
    pass


class EndpointStateChange(Event):
    endpoint: Endpoint


class FormatLangPair(TypedDict):
    language: str
    format: str


class LiveRecording(TypedDict):
    name: str
    format: str
    target_uri: str
    state: str
    duration: NotRequired[int]
    talking_duration: NotRequired[int]
    silence_duration: NotRequired[int]
    cause: NotRequired[str]


class LogChannel(TypedDict):
    channel: str
    type: str
    status: str
    configuration: str


class Mailbox(TypedDict):
    name: str
    old_messages: int
    new_messages: int


class MissingParams(Message):
    params: list[str]


class Module(TypedDict):
    name: str
    description: str
    use_count: int
    status: str
    support_level: str


class Peer(TypedDict):
    peer_status: str
    cause: NotRequired[str]
    address: NotRequired[str]
    port: NotRequired[str]
    time: NotRequired[str]


class PeerStatusChange(Event):
    endpoint: Endpoint
    peer: Peer


class Playback(TypedDict):
    id: str
    media_uri: str
    next_media_uri: NotRequired[str]
    target_uri: str
    language: NotRequired[str]
    state: str


class PlaybackContinuing(Event):
    playback: Playback


class PlaybackFinished(Event):
    playback: Playback


class PlaybackStarted(Event):
    playback: Playback


class RESTHeader(TypedDict):
    name: str
    value: str


class RESTQueryStringParameter(TypedDict):
    name: str
    value: str


class RESTRequest(TypedDict):
    type: str
    transaction_id: str
    request_id: str
    method: str
    uri: str
    content_type: NotRequired[str]
    query_strings: NotRequired[list[RESTQueryStringParameter]]
    message_body: NotRequired[str]


class RESTResponse(Event):
    transaction_id: str
    request_id: str
    status_code: int
    reason_phrase: str
    uri: str
    content_type: NotRequired[str]
    message_body: NotRequired[str]


class RTPstat(TypedDict):
    txcount: int
    rxcount: int
    txjitter: NotRequired[float]
    rxjitter: NotRequired[float]
    remote_maxjitter: NotRequired[float]
    remote_minjitter: NotRequired[float]
    remote_normdevjitter: NotRequired[float]
    remote_stdevjitter: NotRequired[float]
    local_maxjitter: NotRequired[float]
    local_minjitter: NotRequired[float]
    local_normdevjitter: NotRequired[float]
    local_stdevjitter: NotRequired[float]
    txploss: int
    rxploss: int
    remote_maxrxploss: NotRequired[float]
    remote_minrxploss: NotRequired[float]
    remote_normdevrxploss: NotRequired[float]
    remote_stdevrxploss: NotRequired[float]
    local_maxrxploss: NotRequired[float]
    local_minrxploss: NotRequired[float]
    local_normdevrxploss: NotRequired[float]
    local_stdevrxploss: NotRequired[float]
    rtt: NotRequired[float]
    maxrtt: NotRequired[float]
    minrtt: NotRequired[float]
    normdevrtt: NotRequired[float]
    stdevrtt: NotRequired[float]
    local_ssrc: int
    remote_ssrc: int
    txoctetcount: int
    rxoctetcount: int
    channel_uniqueid: str


class RecordingFailed(Event):
    recording: LiveRecording


class RecordingFinished(Event):
    recording: LiveRecording


class RecordingStarted(Event):
    recording: LiveRecording


class Sound(TypedDict):
    id: str
    text: NotRequired[str]
    formats: list[FormatLangPair]


class StasisEnd(Event):
    channel: Channel


class StasisStart(Event):
    args: list[str]
    channel: Channel
    replace_channel: NotRequired[Channel]


class StoredRecording(TypedDict):
    name: str
    format: str


TextMessage = TypedDict(
    "TextMessage",
    {
        "from": str,
        "to": str,
        "body": str,
        "variables": NotRequired[dict[str, object]],
    },
)


class TextMessageReceived(Event):
    message: TextMessage
    endpoint: NotRequired[Endpoint]


class Variable(TypedDict):
    value: str


class Variables(TypedDict):
    variables: dict[str, object]


class applications:
    list = Operation("GET", "applications")
    get = Operation("GET", "applications/{applicationName}")
    subscribe = Operation("POST", "applications/{applicationName}/subscription")
    unsubscribe = Operation("DELETE", "applications/{applicationName}/subscription")
    filter = Operation("PUT", "applications/{applicationName}/eventFilter")


class asterisk:
    getObject = Operation("GET", "asterisk/config/dynamic/{configClass}/{objectType}/{id}")
    updateObject = Operation("PUT", "asterisk/config/dynamic/{configClass}/{objectType}/{id}")
    deleteObject = Operation("DELETE", "asterisk/config/dynamic/{configClass}/{objectType}/{id}")
    getInfo = Operation("GET", "asterisk/info")
    ping = Operation("GET", "asterisk/ping")
    listModules = Operation("GET", "asterisk/modules")
    getModule = Operation("GET", "asterisk/modules/{moduleName}")
    loadModule = Operation("POST", "asterisk/modules/{moduleName}")
    unloadModule = Operation("DELETE", "asterisk/modules/{moduleName}")
    reloadModule = Operation("PUT", "asterisk/modules/{moduleName}")
    listLogChannels = Operation("GET", "asterisk/logging")
    addLog = Operation("POST", "asterisk/logging/{logChannelName}")
    deleteLog = Operation("DELETE", "asterisk/logging/{logChannelName}")
    rotateLog = Operation("PUT", "asterisk/logging/{logChannelName}/rotate")
    getGlobalVar = Operation("GET", "asterisk/variable")
    setGlobalVar = Operation("POST", "asterisk/variable")


class bridges:
    list = Operation("GET", "bridges")
    create = Operation("POST", "bridges")
    createWithId = Operation("POST", "bridges/{bridgeId}")
    get = Operation("GET", "bridges/{bridgeId}")
    destroy = Operation("DELETE", "bridges/{bridgeId}")
    getBridgeVar = Operation("GET", "bridges/{bridgeId}/variable")
    setBridgeVar = Operation("POST", "bridges/{bridgeId}/variable")
    getBridgeVars = Operation("GET", "bridges/{bridgeId}/variables")
    setBridgeVars = Operation("POST", "bridges/{bridgeId}/variables")
    addChannel = Operation("POST", "bridges/{bridgeId}/addChannel")
    removeChannel = Operation("POST", "bridges/{bridgeId}/removeChannel")
    setVideoSource = Operation("POST", "bridges/{bridgeId}/videoSource/{channelId}")
    clearVideoSource = Operation("DELETE", "bridges/{bridgeId}/videoSource")
    startMoh = Operation("POST", "bridges/{bridgeId}/moh")
    stopMoh = Operation("DELETE", "bridges/{bridgeId}/moh")
    play = Operation("POST", "bridges/{bridgeId}/play")
    playWithId = Operation("POST", "bridges/{bridgeId}/play/{playbackId}")
    record = Operation("POST", "bridges/{bridgeId}/record")


class channels:
    list = Operation("GET", "channels")
    originate = Operation("POST", "channels")
    create = Operation("POST", "channels/create")
    get = Operation("GET", "channels/{channelId}")
    originateWithId = Operation("POST", "channels/{channelId}")
    hangup = Operation("DELETE", "channels/{channelId}")
    continueInDialplan = Operation("POST", "channels/{channelId}/continue")
    move = Operation("POST", "channels/{channelId}/move")
    redirect = Operation("POST", "channels/{channelId}/redirect")
    answer = Operation("POST", "channels/{channelId}/answer")
    ring = Operation("POST", "channels/{channelId}/ring")
    ringStop = Operation("DELETE", "channels/{channelId}/ring")
    progress = Operation("POST", "channels/{channelId}/progress")
    sendDTMF = Operation("POST", "channels/{channelId}/dtmf")
    mute = Operation("POST", "channels/{channelId}/mute")
    unmute = Operation("DELETE", "channels/{channelId}/mute")
    hold = Operation("POST", "channels/{channelId}/hold")
    unhold = Operation("DELETE", "channels/{channelId}/hold")
    startMoh = Operation("POST", "channels/{channelId}/moh")
    stopMoh = Operation("DELETE", "channels/{channelId}/moh")
    startSilence = Operation("POST", "channels/{channelId}/silence")
    stopSilence = Operation("DELETE", "channels/{channelId}/silence")
    play = Operation("POST", "channels/{channelId}/play")
    playWithId = Operation("POST", "channels/{channelId}/play/{playbackId}")
    record = Operation("POST", "channels/{channelId}/record")
    getChannelVar = Operation("GET", "channels/{channelId}/variable")
    setChannelVar = Operation("POST", "channels/{channelId}/variable")
    getChannelVars = Operation("GET", "channels/{channelId}/variables")
    setChannelVars = Operation("POST", "channels/{channelId}/variables")
    snoopChannel = Operation("POST", "channels/{channelId}/snoop")
    snoopChannelWithId = Operation("POST", "channels/{channelId}/snoop/{snoopId}")
    dial = Operation("POST", "channels/{channelId}/dial")
    rtpstatistics = Operation("GET", "channels/{channelId}/rtp_statistics")
    externalMedia = Operation("POST", "channels/externalMedia")
    transfer_progress = Operation("POST", "channels/{channelId}/transfer_progress")


class deviceStates:
    list = Operation("GET", "deviceStates")
    get = Operation("GET", "deviceStates/{deviceName}")
    update = Operation("PUT", "deviceStates/{deviceName}")
    delete = Operation("DELETE", "deviceStates/{deviceName}")


class endpoints:
    list = Operation("GET", "endpoints")
    sendMessage = Operation("PUT", "endpoints/sendMessage")
    refer = Operation("POST", "endpoints/refer")
    listByTech = Operation("GET", "endpoints/{tech}")
    get = Operation("GET", "endpoints/{tech}/{resource}")
    sendMessageToEndpoint = Operation("PUT", "endpoints/{tech}/{resource}/sendMessage")
    referToEndpoint = Operation("POST", "endpoints/{tech}/{resource}/refer")


class events:
    eventWebsocket = Operation("GET", "events")
    userEvent = Operation("POST", "events/user/{eventName}")
    claimChannel = Operation("POST", "events/claim")


class mailboxes:
    list = Operation("GET", "mailboxes")
    get = Operation("GET", "mailboxes/{mailboxName}")
    update = Operation("PUT", "mailboxes/{mailboxName}")
    delete = Operation("DELETE", "mailboxes/{mailboxName}")


class playbacks:
    get = Operation("GET", "playbacks/{playbackId}")
    stop = Operation("DELETE", "playbacks/{playbackId}")
    control = Operation("POST", "playbacks/{playbackId}/control")


class recordings:
    listStored = Operation("GET", "recordings/stored")
    getStored = Operation("GET", "recordings/stored/{recordingName}")
    deleteStored = Operation("DELETE", "recordings/stored/{recordingName}")
    getStoredFile = Operation("GET", "recordings/stored/{recordingName}/file")
    copyStored = Operation("POST", "recordings/stored/{recordingName}/copy")
    getLive = Operation("GET", "recordings/live/{recordingName}")
    cancel = Operation("DELETE", "recordings/live/{recordingName}")
    stop = Operation("POST", "recordings/live/{recordingName}/stop")
    pause = Operation("POST", "recordings/live/{recordingName}/pause")
    unpause = Operation("DELETE", "recordings/live/{recordingName}/pause")
    mute = Operation("POST", "recordings/live/{recordingName}/mute")
    unmute = Operation("DELETE", "recordings/live/{recordingName}/mute")


class sounds:
    list = Operation("GET", "sounds")
    get = Operation("GET", "sounds/{soundId}")
