"""What the operating systems say, in the languages that they say it in, by itself and inside a product's record."""

from __future__ import annotations

import pytest

from pytest_tentacle.logs.signatures import classify

PROXY = "Unexpected exception executing transaction.\nHalibut.Transport.Proxy.Exceptions.ProxyException: Connection to proxy host proxy.lab on port 8080 failed: "
SOCKET = "listen://[::]:10933/             91  Socket IO exception: [::ffff:10.0.0.5]:42320\nSystem.IO.IOException: "
LISTENER = "listen://[::]:10933/             91  Client failed authentication: [::ffff:10.0.0.5]:42320\nSystem.ComponentModel.Win32Exception: "
POLLER = "https://octo-1.lab:10943/        12  Halibut client exception: An error occurred when sending a request to 'https://octo-1.lab:10943/', after the request began: "

GERMAN: tuple[tuple[str, str], ...] = (
    (
        "refused",
        "Es konnte keine Verbindung hergestellt werden, da der Zielcomputer die Verbindung verweigerte. [::ffff:10.0.0.7]:10933",
    ),
    (
        "no-response-from-host",
        "Ein Verbindungsversuch ist fehlgeschlagen, da die Gegenstelle nach einer bestimmten Zeitspanne nicht richtig reagiert hat, oder die hergestellte Verbindung war fehlerhaft, da der verbundene Host nicht reagiert hat.",
    ),
    (
        "read-timed-out",
        "Von der Übertragungsverbindung können keine Daten gelesen werden: Ein Verbindungsversuch ist fehlgeschlagen, da die Gegenstelle nach einer bestimmten Zeitspanne nicht richtig reagiert hat.",
    ),
    (
        "reset",
        "Von der Übertragungsverbindung können keine Daten gelesen werden: Eine vorhandene Verbindung wurde vom Remotehost geschlossen.",
    ),
    ("name-unknown", "Der angegebene Host ist unbekannt."),
    ("name-unknown", "Es ist kein solcher Host bekannt."),
    ("name-unknown", "Der Remotename konnte nicht aufgelöst werden: 'octo-1.lab'"),
    ("unreachable", "Ein Socketvorgang bezog sich auf einen nicht verfügbaren Host."),
    ("unreachable", "Ein Socketvorgang bezog sich auf ein nicht verfügbares Netzwerk."),
    (
        "address-in-use",
        "Normalerweise darf jede Socketadresse (Protokoll, Netzwerkadresse oder Anschluss) nur jeweils einmal verwendet werden.",
    ),
    ("address-not-local", "Die angeforderte Adresse ist in diesem Kontext ungültig."),
    ("port-forbidden", "Der Zugriff auf einen Socket war aufgrund der Zugriffsrechte des Sockets unzulässig."),
    (
        "no-common-algorithm",
        "Der Client und der Server können keine Daten austauschen, da sie nicht über einen gemeinsamen Algorithmus verfügen",
    ),
    ("sspi-failed", "Fehler bei einem SSPI-Aufruf. Siehe interne Ausnahme."),
    ("not-tls", "Fehler beim Handshake aufgrund eines unerwarteten Paketformats."),
    ("keyset-missing", "Der Schlüsselsatz ist nicht vorhanden."),
    ("key-not-usable", "Die an das Paket übergebenen Anmeldeinformationen wurden nicht erkannt"),
    ("wrong-machine-key", "Der Schlüssel ist im angegebenen Status nicht gültig."),
    ("access-denied", 'Der Zugriff auf den Pfad "C:\\Octopus\\Work" wurde verweigert.'),
    ("disk-full", "Es steht nicht genug Speicherplatz auf dem Datenträger zur Verfügung."),
    ("proxy-name-unknown", PROXY + "Der angegebene Host ist unbekannt"),
    (
        "proxy-unreachable",
        PROXY + "Es konnte keine Verbindung hergestellt werden, da der Zielcomputer die Verbindung verweigerte.",
    ),
    ("visitor-reset", SOCKET + "Eine vorhandene Verbindung wurde vom Remotehost geschlossen."),
    (
        "visitor-went-away",
        SOCKET + "Eine bestehende Verbindung wurde softwaregesteuert durch den Hostcomputer abgebrochen.",
    ),
    (
        "no-common-algorithm",
        LISTENER
        + "Der Client und der Server können keine Daten austauschen, da sie nicht über einen gemeinsamen Algorithmus verfügen",
    ),
)
JAPANESE: tuple[tuple[str, str], ...] = (
    ("refused", "対象のコンピューターによって拒否されたため、接続できませんでした。 [::ffff:10.0.0.7]:10933"),
    (
        "no-response-from-host",
        "接続済みの呼び出し先が一定の時間を過ぎても正しく応答しなかったため、接続できませんでした。または接続済みのホストが応答しなかったため、確立された接続は失敗しました。",
    ),
    (
        "read-timed-out",
        "転送接続からデータを読み取れません: 接続済みの呼び出し先が一定の時間を過ぎても正しく応答しなかったため、接続できませんでした。",
    ),
    ("reset", "転送接続からデータを読み取れません: 既存の接続はリモート ホストに強制的に切断されました。"),
    ("name-unknown", "そのようなホストは不明です。"),
    ("unreachable", "到達できないホストに対してソケット操作を実行しようとしました。"),
    ("unreachable", "到達できないネットワークに対してソケット操作を実行しようとしました。"),
    (
        "address-in-use",
        "通常、各ソケット アドレスに対してプロトコル、ネットワーク アドレス、またはポートのどれか 1 つのみを使用できます。",
    ),
    ("address-not-local", "要求したアドレスのコンテキストが無効です。"),
    ("port-forbidden", "アクセス許可で禁じられた方法でソケットにアクセスしようとしました。"),
    ("no-common-algorithm", "クライアントとサーバーに共通のアルゴリズムがないため通信できません。"),
    ("sspi-failed", "SSPI の呼び出しに失敗しました。内部例外を参照してください。"),
    ("keyset-missing", "キーセットがありません。"),
    ("wrong-machine-key", "指定された状態で使用するには無効なキーです。"),
    ("access-denied", "パス 'C:\\Octopus\\Work' へのアクセスが拒否されました。"),
    ("disk-full", "ディスクに十分な空き領域がありません。"),
    ("proxy-name-unknown", PROXY + "そのようなホストは不明です。"),
    ("visitor-reset", SOCKET + "既存の接続はリモート ホストに強制的に切断されました。"),
    ("visitor-went-away", SOCKET + "確立された接続がホスト コンピューターのソフトウェアによって中止されました。"),
    ("no-common-algorithm", LISTENER + "クライアントとサーバーに共通のアルゴリズムがないため通信できません。"),
)
FRENCH: tuple[tuple[str, str], ...] = (
    ("refused", "Aucune connexion n'a pu être établie car l'ordinateur cible l'a expressément refusée"),
    ("reset", "Une connexion existante a dû être fermée par l'hôte distant."),
    ("refused", "Aucune connexion n\u2019a pu être établie car l\u2019ordinateur cible l\u2019a expressément refusée"),
    (
        "no-response-from-host",
        "Une tentative de connexion a échoué car le parti connecté n\u2019a pas répondu convenablement au-delà d\u2019une durée",
    ),
)
OTHERS: tuple[tuple[str, str], ...] = (
    (
        "refused",
        "No se puede establecer una conexión ya que el equipo de destino denegó expresamente dicha conexión",
    ),
    ("refused", "Impossibile stabilire la connessione. Rifiuto persistente del computer di destinazione"),
    ("refused", "Nenhuma conexão pôde ser feita porque a máquina de destino as recusou ativamente"),
    ("refused", "由于目标计算机积极拒绝"),
    ("refused", "Подключение не установлено, т.к. конечный компьютер отверг запрос на подключение"),
    (
        "no-response-from-host",
        "Se produjo un error durante el intento de conexión ya que la parte conectada no respondió adecuadamente",
    ),
    ("no-response-from-host", "Impossibile stabilire la connessione. Risposta non corretta della parte connessa"),
    ("no-response-from-host", "Uma tentativa de conexão falhou porque o componente conectado não respondeu"),
    ("no-response-from-host", "由于连接方在一段时间后没有正确答复或连接的主机没有反应"),
    ("no-response-from-host", "т.к. от другого компьютера за требуемое время не получен нужный отклик"),
    ("reset", "Se ha forzado la interrupción de una conexión existente por el host remoto"),
    ("reset", "Connessione in corso interrotta forzatamente dall'host remoto"),
    ("reset", "Foi forçado o cancelamento de uma conexão existente pelo host remoto"),
    ("reset", "远程主机强迫关闭了一个现有的连接。"),
    ("reset", "Удаленный хост принудительно разорвал существующее подключение"),
    ("name-unknown", "Host desconocido"),
    ("name-unknown", "Host sconosciuto."),
    ("name-unknown", "Este host não é conhecido."),
    ("name-unknown", "不知道这样的主机。"),
    ("name-unknown", "Этот хост неизвестен"),
    ("address-in-use", "Solo se permite un uso de cada dirección de socket (protocolo/dirección de red/puerto)"),
    ("address-in-use", "Di norma è consentito un solo utilizzo di ogni indirizzo di socket"),
    ("address-in-use", "Normalmente é permitida apenas uma utilização de cada endereço de soquete"),
    ("address-in-use", "通常每个套接字地址(协议/网络地址/端口)只允许使用一次。"),
    ("address-in-use", "Обычно разрешается одно использование адреса сокета"),
    ("no-room-to-accept", "nicht genügend Pufferspeicher verfügbar war oder eine Warteschlange voll war"),
)
TEXTS = (*GERMAN, *JAPANESE, *FRENCH, *OTHERS)
INSIDE = {
    "address-in-use": "no-room-to-connect",
    "no-room-to-accept": "no-room-to-connect",
    "port-forbidden": "connecting-forbidden",
    "address-not-local": "unreachable",
}
"""Of who connects, the same texts say that no port is left to connect from, that the connection is forbidden, or that it
leads nowhere."""
HEADED = (PROXY, SOCKET, LISTENER)


class TestLanguages:
    @pytest.mark.parametrize(("slug", "text"), TEXTS)
    def test_a_system_s_text_is_known_by_itself(self, slug: str, text: str) -> None:
        found = classify(text)

        assert found is not None
        assert found[0].id == slug

    @pytest.mark.parametrize(("slug", "text"), [one for one in TEXTS if not one[1].startswith(HEADED)])
    def test_it_is_known_inside_a_record_of_halibut(self, slug: str, text: str) -> None:
        """Halibut's own words are English everywhere."""
        found = classify(f"{POLLER}{text}. Retrying in 5.0 seconds")

        assert found is not None
        assert found[0].id == INSIDE.get(slug, slug)

    @pytest.mark.parametrize(("slug", "text"), [*GERMAN, *FRENCH])
    def test_it_is_known_when_its_accents_were_broken(self, slug: str, text: str) -> None:
        """An old Tentacle's log, read as UTF-8 where it is Windows-1252, or the other way round."""
        found = classify(text.encode().decode("cp1252", "replace"))

        assert found is not None
        assert found[0].id == slug


class TestNumbers:
    """An error's number tells what a text in any language does."""

    @pytest.mark.parametrize(
        ("number", "slug"),
        [
            ("10061", "refused"),
            ("111", "refused"),
            ("10060", "no-response-from-host"),
            ("10054", "reset"),
            ("10048", "address-in-use"),
            ("98", "address-in-use"),
            ("11001", "name-unknown"),
            ("10065", "unreachable"),
            ("10049", "address-not-local"),
        ],
    )
    def test_without_a_text_that_is_known(self, number: str, slug: str) -> None:
        found = classify(f"System.Net.Sockets.SocketException ({number}): Nawiązanie połączenia nie powiodło się")

        assert found is not None
        assert found[0].id == slug


class TestWhoSaysIt:
    """The same words of who connects, of who listens, and of a handshake are three things."""

    @pytest.mark.parametrize(
        ("heading", "text", "slug"),
        [
            (POLLER, "error:1408F119:SSL routines:ssl3_get_record:decryption failed or bad record mac", "altered-data"),
            (POLLER, "The specified data could not be decrypted", "altered-data"),
            (
                POLLER,
                "A call to SSPI failed, see inner exception. ---> The message or signature supplied for",
                "sspi-failed",
            ),
            (LISTENER, "error:0A000119:SSL routines::decryption failed or bad record mac", "tls-failed-listening"),
            (POLLER, "System.Net.Sockets.SocketException (13): Permission denied", "connecting-forbidden"),
            ("", "System.Net.Sockets.SocketException (10013): An attempt was made", "port-forbidden"),
            (POLLER, "Cannot assign requested address [::ffff:10.0.0.7]:10943", "no-room-to-connect"),
            (POLLER, "Cannot assign requested address [2001:db8::7]:10943", "unreachable"),
            (POLLER, "The requested address is not valid in its context 0.0.0.0:10943", "unreachable"),
            ("", "Cannot assign requested address", "address-not-local"),
        ],
    )
    def test_it_is_what_they_mean(self, heading: str, text: str, slug: str) -> None:
        found = classify(f"{heading}{text}")

        assert found is not None
        assert found[0].id == slug
