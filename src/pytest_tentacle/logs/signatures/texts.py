"""What the operating systems themselves say: they translate it, so numbers and several languages stand side by side.

English, German, French and Japanese texts of Windows Sockets and Schannel (windows-shapes 10), those of the GNU C
library, and the error numbers that .NET writes behind the exception's name, such as `SocketException (10061)`. Of the
commonest errors of Windows Sockets also the Spanish, Italian, Portuguese, Chinese and Russian texts, half of them as
public reports quote them, the others from memory: the .NET Framework writes no number there. A letter with an accent is
one or two of any, and an apostrophe up to three: a log of an old Tentacle is not UTF-8.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class SystemText:
    """One error of the system: `pattern` is a group for use in a signature, `keys` as in `Signature`."""

    pattern: str
    keys: tuple[str, ...]


def _text(*alternatives: tuple[str, str]) -> SystemText:
    """From pairs of a regular expression and the literal that it cannot match without."""
    return SystemText(
        "(?:" + "|".join(pattern for pattern, _ in alternatives) + ")",
        tuple(dict.fromkeys(key for _, key in alternatives)),
    )


def _number(*numbers: str) -> tuple[tuple[str, str], ...]:
    return tuple((rf"SocketException \({number}\)", f"socketexception ({number})") for number in numbers)


REFUSED = _text(
    ("No connection could be made because the target machine actively refused it", "actively refused it"),
    ("da der Zielcomputer die Verbindung verweigerte", "die verbindung verweigerte"),
    ("l.{1,3}ordinateur cible l.{1,3}a express.{1,2}ment refus", "ordinateur cible l"),
    ("対象のコンピューターによって拒否された", "対象のコンピューターによって拒否された"),
    ("Connection refused", "connection refused"),
    ("equipo de destino deneg.{1,2} expresamente dicha conexi", "equipo de destino deneg"),
    ("Rifiuto persistente del computer di destinazione", "rifiuto persistente del computer"),
    ("quina de destino as recusou ativamente", "de destino as recusou ativamente"),
    ("由于目标计算机积极拒绝", "由于目标计算机积极拒绝"),
    ("конечный компьютер отверг запрос на подключение", "конечный компьютер отверг запрос"),
    *_number("10061", "111"),
)

TIMED_OUT = _text(
    (
        "A connection attempt failed because the connected party did not properly respond",
        "the connected party did not properly respond",
    ),
    ("da die Gegenstelle nach einer bestimmten Zeitspanne nicht richtig reagiert hat", "nicht richtig reagiert hat"),
    ("n.{1,3}a pas r.{1,2}pondu convenablement au-del", "pondu convenablement au-del"),
    ("接続済みの呼び出し先が一定の時間を過ぎても正しく応答しなかった", "正しく応答しなかった"),
    ("Connection timed out", "connection timed out"),
    ("la parte conectada no respondi.{1,2} adecuadamente", "la parte conectada no respondi"),
    ("Risposta non corretta della parte connessa", "risposta non corretta della parte connessa"),
    ("o componente conectado n.{1,2}o respondeu", "o componente conectado n"),
    ("由于连接方在一段时间后没有正确答复", "由于连接方在一段时间后没有正确答复"),
    ("от другого компьютера за требуемое время не получен нужный отклик", "за требуемое время не получен"),
    *_number("10060", "110"),
)

RESET = _text(
    ("An existing connection was forcibly closed by the remote host", "forcibly closed by the remote host"),
    ("Eine vorhandene Verbindung wurde vom Remotehost geschlossen", "vom remotehost geschlossen"),
    (
        "Une connexion existante a d.{1,2} .{1,2}tre ferm.{1,2}e par l.{1,3}h.{1,2}te distant",
        "une connexion existante a d",
    ),
    ("既存の接続はリモート ホストに強制的に切断されました", "リモート ホストに強制的に切断"),
    ("Connection reset by peer", "connection reset by peer"),
    (
        "Se ha forzado la interrupci.{1,2}n de una conexi.{1,2}n existente por el host remoto",
        "se ha forzado la interrupci",
    ),
    ("interrotta forzatamente dall.{1,3}host remoto", "interrotta forzatamente dall"),
    ("Foi for.{1,2}ado o cancelamento de uma conex", "ado o cancelamento de uma conex"),
    ("远程主机强迫关闭了一个现有的连接", "远程主机强迫关闭了一个现有的连接"),
    ("хост принудительно разорвал существующее подключение", "принудительно разорвал существующее"),
    *_number("10054", "104"),
)

ABORTED = _text(
    ("An established connection was aborted by the software in your host machine", "aborted by the software in your"),
    ("Eine bestehende Verbindung wurde softwaregesteuert", "wurde softwaregesteuert"),
    ("確立された接続がホスト コンピューターの", "確立された接続がホスト コンピューターの"),
    ("Broken pipe", "broken pipe"),
    *_number("10053", "32"),
)

IN_USE = _text(
    ("Only one usage of each socket address", "only one usage of each socket address"),
    ("Normalerweise darf jede Socketadresse", "normalerweise darf jede socketadresse"),
    ("Une seule utilisation de chaque adresse de socket", "une seule utilisation de chaque adresse de socket"),
    ("通常、各ソケット アドレスに対して", "通常、各ソケット アドレスに対して"),
    ("Address already in use", "address already in use"),
    ("permite un uso de cada direcci.{1,2}n de socket", "permite un uso de cada direcci"),
    ("un solo utilizzo di ogni indirizzo di socket", "utilizzo di ogni indirizzo di socket"),
    ("permitida apenas uma utiliza.{2,4}o de cada endere", "permitida apenas uma utiliza"),
    ("通常每个套接字地址", "通常每个套接字地址"),
    ("разрешается одно использование адреса сокета", "одно использование адреса сокета"),
    *_number("10048", "98"),
)

NO_ROOM = _text(
    ("the system lacked sufficient buffer space or because a queue was full", "lacked sufficient buffer space"),
    ("nicht gen.{1,2}gend Pufferspeicher verf.{1,2}gbar", "gend pufferspeicher verf"),
    ("バッファー領域が不足しているか", "バッファー領域が不足しているか"),
    ("Too many open files", "too many open files"),
    ("No buffer space available", "no buffer space available"),
    *_number("10055", "105", "24"),
)

NOT_LOCAL = _text(
    ("The requested address is not valid in its context", "not valid in its context"),
    ("Die angeforderte Adresse ist in diesem Kontext ung.{1,2}ltig", "adresse ist in diesem kontext ung"),
    ("要求したアドレスのコンテキストが無効です", "要求したアドレスのコンテキストが無効です"),
    ("Cannot assign requested address", "cannot assign requested address"),
    *_number("10049", "99"),
)

FORBIDDEN = _text(
    (
        "An attempt was made to access a socket in a way forbidden by its access permissions",
        "forbidden by its access permissions",
    ),
    ("Der Zugriff auf einen Socket war aufgrund der Zugriffsrechte", "der zugriff auf einen socket war aufgrund"),
    ("アクセス許可で禁じられた方法でソケットにアクセスしようとしました", "アクセス許可で禁じられた方法"),
    *_number("10013"),
)

NO_SUCH_NAME = _text(
    ("No such host is known", "no such host is known"),
    ("The remote name could not be resolved", "remote name could not be resolved"),
    ("The requested name is valid, but no data of the requested type was found", "the requested name is valid"),
    ("Name or service not known", "name or service not known"),
    ("Temporary failure in name resolution", "temporary failure in name resolution"),
    # EAI_AGAIN, of a DNS server that does not answer, in .NET's words on Linux: EAGAIN's text.
    ("Resource temporarily unavailable", "resource temporarily unavailable"),
    ("No address associated with hostname", "no address associated with hostname"),
    ("Der angegebene Host ist unbekannt", "der angegebene host ist unbekannt"),
    ("Es ist kein solcher Host bekannt", "es ist kein solcher host bekannt"),
    ("Der Remotename konnte nicht aufgel.{1,2}st werden", "der remotename konnte nicht aufgel"),
    ("H.{1,2}te inconnu", "te inconnu"),
    ("そのようなホストは不明です", "そのようなホストは不明です"),
    ("Host desconocido", "host desconocido"),
    ("Host sconosciuto", "host sconosciuto"),
    ("Este host n.{1,2}o .{1,2} conhecido", "este host n"),
    ("不知道这样的主机", "不知道这样的主机"),
    ("Этот хост неизвестен", "этот хост неизвестен"),
    *_number("11001", "11002", "11004", "-131073"),
)

ADDRESS_FAMILY = _text(
    ("An address incompatible with the requested protocol was used", "incompatible with the requested protocol"),
    (
        "Eine Adresse, die mit dem angeforderten Protokoll nicht kompatibel ist",
        "angeforderten protokoll nicht kompatibel",
    ),
    ("Une adresse incompatible avec le protocole demand", "adresse incompatible avec le protocole"),
    ("要求したプロトコルと互換性のないアドレス", "プロトコルと互換性のないアドレス"),
    ("Address family not supported by protocol", "address family not supported"),
    (
        "None of the discovered or specified addresses match the socket address family",
        "match the socket address family",
    ),
    *_number("10047", "97"),
)
"""The last but one is what .NET says when a name has no address of the socket's family."""

UNREACHABLE = _text(
    ("A socket operation was attempted to an unreachable (?:host|network)", "was attempted to an unreachable"),
    ("Ein Socketvorgang bezog sich auf ein(?:en)? nicht verf.{1,2}gbare", "ein socketvorgang bezog sich auf ein"),
    ("到達できない(?:ホスト|ネットワーク)に対してソケット操作", "に対してソケット操作"),
    ("No route to host", "no route to host"),
    ("Network is unreachable", "network is unreachable"),
    *_number("10051", "10065", "101", "113"),
)

BROKEN_READ = _text(
    ("Unable to read data from the transport connection:", "data from the transport connection"),
    ("Unable to write data to the transport connection:", "data to the transport connection"),
    ("Von der .{1,2}bertragungsverbindung k.{1,2}nnen keine Daten gelesen werden:", "nnen keine daten gelesen werden"),
    ("転送接続からデータを読み取れません:", "転送接続からデータを読み取れません"),
)

NO_COMMON_ALGORITHM = _text(
    ("because they do not possess a common algorithm", "do not possess a common algorithm"),
    ("da sie nicht .{1,2}ber einen gemeinsamen Algorithmus verf.{1,2}gen", "ber einen gemeinsamen algorithmus verf"),
    ("car ils ne poss.{1,2}dent pas un algorithme commun", "dent pas un algorithme commun"),
    ("共通のアルゴリズムがないため", "共通のアルゴリズムがないため"),
    (r"0x80090331", "0x80090331"),
)

SSPI = _text(
    ("A call to SSPI failed, see inner exception", "a call to sspi failed"),
    ("Fehler bei einem SSPI-Aufruf", "fehler bei einem sspi-aufruf"),
    ("Un appel .{1,2} SSPI a .{1,2}chou", "un appel"),
    ("SSPI の呼び出しに失敗しました", "sspi の呼び出しに失敗しました"),
)

NO_KEYSET = _text(
    ("Keyset does not exist", "keyset does not exist"),
    ("Schl.{1,2}sselsatz (?:ist )?nicht vorhanden", "sselsatz"),
    ("Le jeu de cl.{1,2}s n.{1,3}existe pas", "le jeu de cl"),
    ("キーセットがありません", "キーセットがありません"),
    ("0x80090016", "0x80090016"),
)

UNUSABLE_KEY = _text(
    ("credentials supplied to the package were not recognized", "supplied to the package were not recognized"),
    ("Anmeldeinformationen wurden nicht erkannt", "anmeldeinformationen wurden nicht erkannt"),
    ("0x8009030D", "0x8009030d"),
)
"""Schannel's, of a certificate of one's own: its key is gone, or may not be read (SEC_E_UNKNOWN_CREDENTIALS)."""

WRONG_KEY_STATE = _text(
    ("Key not valid for use in specified state", "key not valid for use in specified state"),
    (
        "Der Schl.{1,2}ssel ist im angegebenen Status nicht g.{1,2}ltig",
        "ssel ist im angegebenen status nicht g",
    ),
    (
        "Schl.{1,2}ssel ist f.{1,2}r die Verwendung im angegebenen Status nicht g.{1,2}ltig",
        "verwendung im angegebenen status nicht g",
    ),
    ("指定された状態で使用するには無効なキー", "使用するには無効なキー"),
    ("0x8009000B", "0x8009000b"),
)

ACCESS_DENIED = _text(
    (
        r"(?:System\.UnauthorizedAccessException: )?Access to the path '(?P<path>[^'\r\n]*)' is denied",
        "access to the path",
    ),
    ("Der Zugriff auf den Pfad .* wurde verweigert", "der zugriff auf den pfad"),
    ("L.{1,3}acc.{1,2}s au chemin d.{1,3}acc.{1,2}s .* est refus", "s au chemin d"),
    ("へのアクセスが拒否されました", "へのアクセスが拒否されました"),
    ("UnauthorizedAccessException", "unauthorizedaccessexception"),
)

NO_OBJECT = _text(
    ("Object reference not set to an instance of an object", "object reference not set"),
    ("Der Objektverweis wurde nicht auf eine Objektinstanz festgelegt", "objektverweis wurde nicht auf eine"),
    ("La r.{1,2}f.{1,2}rence d.{1,3}objet n.{1,3}est pas d.{1,2}finie", "objet n"),
    ("オブジェクト参照がオブジェクト インスタンスに設定されていません", "オブジェクト参照がオブジェクト インスタンス"),
    ("NullReferenceException", "nullreferenceexception"),
)

LOCKED = _text(
    (
        r"The process cannot access the file '(?P<path>[^'\r\n]*)' because it is being used by another process",
        "because it is being used by another process",
    ),
    ("da sie von einem anderen Prozess verwendet wird", "von einem anderen prozess verwendet"),
    ("car il est en cours d.{1,3}utilisation par un autre processus", "utilisation par un autre processus"),
    ("別のプロセスで使用されているため", "別のプロセスで使用されているため"),
)

PAST_END = _text(
    ("Attempted to read past the end of the stream", "attempted to read past the end of the stream"),
    ("Unable to read beyond the end of the stream", "unable to read beyond the end of the stream"),
    ("EndOfStreamException", "endofstreamexception"),
)

UNEXPECTED_EOF = _text(
    ("Received an unexpected EOF or 0 bytes from the transport stream", "unexpected eof or 0 bytes"),
    ("Unerwartetes EOF oder 0 Bytes (?:vom|aus dem) Transportstream", "unerwartetes eof oder 0 bytes"),
    ("予期しない EOF または 0 バイト", "予期しない eof または 0 バイト"),
    ("the remote party has closed the transport stream", "remote party has closed the transport stream"),
)

NOT_TLS = _text(
    ("Cannot determine the frame size or a corrupted frame was received", "cannot determine the frame size"),
    ("The handshake failed due to an unexpected packet format", "due to an unexpected packet format"),
    (
        "Der Handshake ist aufgrund eines unerwarteten Paketformats fehlgeschlagen",
        "aufgrund eines unerwarteten paketformats",
    ),
    (
        "Fehler beim Handshake aufgrund eines unerwarteten Paketformats",
        "fehler beim handshake aufgrund eines unerwarteten",
    ),
)

CANCELLED = _text(
    ("The (?:ReadAsync|WriteAsync) operation was cancell?ed", "async operation was cancel"),
)
